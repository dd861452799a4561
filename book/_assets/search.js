/* The search page: excerpts are the found page's own prose, without buttons, code and the numbers on figures. */
(() => {
  'use strict';

  // Pages opened from a folder may not read others: their lists are without excerpts.
  if (location.protocol === 'file:') DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  const PROSE = 'p, :is(dt, td, li):not(:has(p))';
  const ASIDE = [
    '.headerlink', '.chapter-line', '.run-chapter', '.admonition-title', '.hts-figure', '.ratios', '.ratio-table',
    'summary', 'pre', 'div.math',
  ].join();
  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, 'text/html');
    const place = (anchor && page.getElementById(anchor.slice(1))) || page.querySelector('.bd-article');
    place.querySelectorAll(ASIDE).forEach((element) => element.remove());
    place.querySelectorAll('br').forEach((element) => element.replaceWith(' '));
    place.querySelectorAll('.math').forEach((formula) => {
      const plain = formula.textContent.replace(/\\[()]/g, '').replace(/\\dots/g, '…');
      formula.textContent = /[\\{}]/.test(plain) ? '…' : plain;
    });
    const text = [...place.querySelectorAll(PROSE)].map((element) => element.textContent).join(' ');
    return text.replace(/\s+/g, ' ').trim() || ' '; // Sphinx takes no empty one
  };

  // Sphinx cuts in the middle of words.
  const summary = Search.makeSearchSummary;
  Search.makeSearchSummary = (...found) => {
    const excerpt = summary(...found);
    excerpt.textContent = excerpt.textContent.replace(/^\.{3}\S*\s/, '… ').replace(/\s\S*\.{3}$/, ' …');
    return excerpt;
  };

  const field = document.querySelector('.bd-search-container input');
  field.focus();
  field.select();
})();
