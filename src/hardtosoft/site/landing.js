// Buttons mark the chapters on a route: the others dim, and stay readable.
(() => {
  const ways = document.currentScript.closest('.ways');
  const buttons = [...ways.querySelectorAll('.routes button')];
  for (const button of buttons) {
    button.addEventListener('click', () => {
      const { route } = button.dataset;
      for (const other of buttons) other.setAttribute('aria-pressed', other === button);
      for (const card of ways.querySelectorAll('[data-routes]')) card.toggleAttribute('data-off', route && !card.dataset.routes.split(' ').includes(route));
    });
  }
})();
