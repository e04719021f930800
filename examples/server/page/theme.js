// Light or dark: what the visitor chose here, else what the system asks for. Runs before the page is drawn, and is no
// module for that reason; the choice is kept in the browser until it is the system's again.
(() => {
  const key = 'theme';
  const system = matchMedia('(prefers-color-scheme: dark)');
  const root = document.documentElement;

  const systemTheme = () => (system.matches ? 'dark' : 'light');
  const theme = () => root.dataset.theme ?? systemTheme();

  function remembered() {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // the browser keeps nothing for this page
    }
  }

  function choose(chosen) {
    if (chosen === systemTheme()) delete root.dataset.theme;
    else root.dataset.theme = chosen;
    try {
      if (root.dataset.theme === undefined) localStorage.removeItem(key);
      else localStorage.setItem(key, chosen);
    } catch {
      // It lasts as long as the page.
    }
  }

  const chosen = remembered();
  if (chosen === 'light' || chosen === 'dark') root.dataset.theme = chosen;

  addEventListener('DOMContentLoaded', () => {
    const button = document.getElementById('theme');
    const label = () => {
      const text = `Switch to ${theme() === 'dark' ? 'light' : 'dark'} colours`;
      button.setAttribute('aria-label', text);
      button.title = text;
      button.dataset.theme = theme();
    };
    button.addEventListener('click', () => {
      choose(theme() === 'dark' ? 'light' : 'dark');
      label();
    });
    system.addEventListener('change', label);
    label();
  });
})();
