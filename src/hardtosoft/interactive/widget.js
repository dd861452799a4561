/* What a notebook loads for each figure: it takes the figures' script from the one runtime that all figures share. */
const scripts = (globalThis.hardtosoftScripts ??= new Map());

function script(runtime) {
  const source = runtime.get('script');
  if (!scripts.has(source)) {
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    scripts.set(source, import(url));
  }
  return scripts.get(source);
}

export default {
  async render({ model, el }) {
    const runtime = await model.widget_manager.get_model(model.get('runtime').slice('IPY_MODEL_'.length));
    const { mount } = await script(runtime);
    return mount(model, runtime, el);
  },
};
