/* Before the first paint: the theme that the reader has chosen, or the one of the system. */
(({ dataset }) => {
  const standard = dataset.theme;
  dataset.mode = localStorage.getItem('mode') || standard;
  dataset.theme = localStorage.getItem('theme') || standard;
  if (dataset.theme === 'auto') dataset.theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
})(document.documentElement);
