"""The nonlinearities of PyTorch that softening leaves alone, and why: by name, wherever a function of it stands."""

from __future__ import annotations

INDICES = "returns the indices of the maxima (return_indices=True), which a soft pooling does not have"
SMOOTH = "is smooth already"
FUSED = "is fused with other operations"

#: By reason. A name stands for the function, the method and the operator, in place and not.
REASONS: dict[str, str] = {
    INDICES: "max_pool1d_with_indices max_pool2d_with_indices",
    SMOOTH: (
        "gelu silu mish elu selu celu softplus softsign logsigmoid log_sigmoid log_sigmoid_forward tanhshrink glu "
        "tanh sigmoid special_expit softmax _softmax _safe_softmax special_softmax log_softmax _log_softmax "
        "special_log_softmax softmin gumbel_softmax logsumexp special_logsumexp logaddexp logaddexp2 logcumsumexp "
        "logit special_logit exp exp2 special_exp2 expm1 special_expm1 log log2 log10 log1p special_log1p xlogy "
        "special_xlogy erf special_erf erfc special_erfc erfinv sin cos tan sinc sinh cosh asin arcsin acos "
        "arccos atan arctan atan2 arctan2 asinh arcsinh acosh arccosh atanh arctanh lgamma digamma special_ndtr "
        "lstm lstm_cell gru gru_cell rnn_tanh rnn_tanh_cell"
    ),
    "is attention, whose softmax is smooth already": (
        "scaled_dot_product_attention multi_head_attention_forward _native_multi_head_attention "
        "_triton_multi_head_attention _scaled_dot_product_attention_math _scaled_dot_product_efficient_attention "
        "_scaled_dot_product_flash_attention _scaled_dot_product_flash_attention_for_cpu "
        "_scaled_dot_product_cudnn_attention _scaled_dot_product_fused_attention_overrideable "
        "_flash_attention_forward _efficient_attention_forward"
    ),
    "has three pieces; ReLU, leaky ReLU, PReLU, abs and max-pooling are softened": (
        "relu6 hardtanh hardsigmoid hardswish hardshrink softshrink"
    ),
    "has a random slope": "rrelu rrelu_with_noise rrelu_with_noise_functional",
    "has a threshold of its own": "threshold",
    "is a maximum, but no max-pooling in one or two dimensions": (
        "max_pool3d max_pool3d_with_indices adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d "
        "adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices adaptive_max_pool3d_with_indices "
        "fractional_max_pool2d fractional_max_pool3d fractional_max_pool2d_with_indices "
        "fractional_max_pool3d_with_indices mkldnn_max_pool2d mkldnn_max_pool3d quantized_max_pool1d "
        "quantized_max_pool2d quantized_max_pool3d maximum minimum max min amax amin fmax fmin aminmax cummax "
        "cummin"
    ),
    "is a clamp; a ReLU written so is softened if it is written as F.relu": "clamp clip clamp_min clamp_max",
    "chooses by a condition; a ReLU written so is softened if it is written as F.relu": "where",
    "selects by size or order": "sort msort topk kthvalue median nanmedian mode quantile nanquantile renorm",
    "is a step, flat between its jumps": (
        "sign sgn heaviside round special_round floor ceil trunc fix frac fmod remainder floor_divide"
    ),
    "divides by the size of its input": (
        "layer_norm native_layer_norm group_norm native_group_norm instance_norm rms_norm _fused_rms_norm "
        "local_response_norm normalize cosine_similarity"
    ),
    "takes roots of sums of powers": (
        "lp_pool1d lp_pool2d lp_pool3d norm linalg_norm linalg_vector_norm hypot pairwise_distance cdist pdist dist"
    ),
    "is fused with the rest of its recurrence": "rnn_relu rnn_relu_cell mkldnn_rnn_layer miopen_rnn _cudnn_rnn",
    FUSED: (
        "_transformer_encoder_layer_fwd _add_relu _addmm_activation cudnn_convolution_relu "
        "cudnn_convolution_add_relu miopen_convolution_relu miopen_convolution_add_relu _thnn_fused_lstm_cell "
        "_thnn_fused_gru_cell"
    ),
}
#: What marks an operator on quantised numbers as none that is affine.
QUANTISED = [
    "relu",
    "elu",
    "hardswish",
    "hardtanh",
    "sigmoid",
    "tanh",
    "threshold",
    "clamp",
    "softmax",
    "norm",
    "max_pool",
    "lstm",
    "gru",
    "rnn",
]
