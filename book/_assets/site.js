/* Small mends to the theme's pages: landmarks for assistive technology, scrolling by keyboard, print. */
(() => {
  'use strict';

  const ready = (run) => (document.readyState === 'loading' ? addEventListener('DOMContentLoaded', run) : run());

  // Runs deferred and before bootstrap, so that tooltips are made inside a landmark.
  document.querySelectorAll('[data-bs-toggle="tooltip"]').forEach((element) => {
    element.dataset.bsContainer = 'main';
  });
  document.querySelectorAll('.search-button__wrapper').forEach((element) => {
    element.setAttribute('role', 'search');
    element.setAttribute('aria-label', 'Search this book');
  });

  // What scrolls sideways can be reached and scrolled by keyboard.
  const SCROLLERS = [
    '.bd-article pre', '.bd-article mjx-container[display]', '.bd-article .pst-scrollable-table-container',
    '.bd-article div.cell_output', '.bd-article .output', '.bd-article .tour',
  ].join();
  function markScrollers() {
    document.querySelectorAll(SCROLLERS).forEach((element) => {
      const style = getComputedStyle(element);
      const scrolls = /auto|scroll/.test(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
      if (scrolls) element.tabIndex = 0;
      else if (element.getAttribute('tabindex') === '0') element.removeAttribute('tabindex');
    });
  }
  let waiting = 0;
  const later = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(markScrollers);
  };
  ready(markScrollers);
  addEventListener('load', () => {
    later();
    const formulas = window.MathJax && window.MathJax.startup && window.MathJax.startup.promise;
    if (formulas) formulas.then(later);
  });
  addEventListener('resize', later);
  if (document.fonts) document.fonts.addEventListener('loadingdone', later); // formulas are wider with theirs
  document.addEventListener('toggle', later, true);

  document.querySelectorAll('.btn-download-pdf-button').forEach((button) => {
    button.addEventListener('click', () => print());
  });

  // Paper: light colours and every box open; afterwards as it was.
  let before = null;
  addEventListener('beforeprint', () => {
    if (before) return;
    const root = document.documentElement;
    const closed = [...document.querySelectorAll('.bd-article details:not([open])')];
    before = { theme: root.dataset.theme, closed };
    root.dataset.theme = 'light';
    closed.forEach((element) => { element.open = true; });
  });
  addEventListener('afterprint', () => {
    if (!before) return;
    document.documentElement.dataset.theme = before.theme;
    before.closed.forEach((element) => { element.open = false; });
    before = null;
  });
})();
