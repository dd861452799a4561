"""One module a chapter: parameters in, frames out."""

from __future__ import annotations

from ..interactive import InteractiveFigure


def every_figure() -> list[InteractiveFigure]:
    """Every interactive figure of the book, in the order of its pages: what tests sweep."""
    from . import (
        atlas_noise,
        atlas_pairs,
        atlas_yours,
        clusters,
        codebooks,
        envelopes,
        gates,
        joint,
        joint_errors,
        layers,
        mixtures,
        photograph,
        pieces,
        planes,
        pooling,
        posteriors,
        quantizers,
        readouts,
        simplex,
        smoothings,
        together,
        trained,
        units,
    )

    return [
        trained.opening_figure(),
        units.unit_figure(),
        units.objective_figure(),
        smoothings.gap_figure(),
        smoothings.softplus_figure(),
        trained.softening_figure(),
        pieces.pieces_figure(),
        envelopes.lines_figure(),
        planes.planes_figure(),
        layers.overlay_figure(),
        layers.kinds_figure(),
        envelopes.block_figure(),
        planes.own_figure(planes.four_planes(0.5, 0.0)),
        quantizers.cells_figure(),
        clusters.k_means_figure(),
        codebooks.codebook_figure(),
        quantizers.your_cells_figure(),
        simplex.simplex_figure(),
        readouts.tangent_figure(),
        readouts.entropy_figure(),
        simplex.scores_figure(),
        posteriors.posterior_figure(),
        posteriors.prior_figure(),
        gates.gates_figure(),
        mixtures.digits_figure(),
        together.together_figure(),
        gates.components_figure(),
        pooling.window_figure(),
        photograph.photograph_figure(),
        photograph.units_figure(),
        pooling.your_window_figure(),
        atlas_noise.slot_figure(),
        atlas_pairs.pairs_figure(),
        atlas_yours.your_activation_figure(),
        joint.two_units_figure(),
        joint_errors.errors_figure(),
        joint.your_filters_figure([[1.0, 0.0], [0.8, 0.6]]),
    ]
