// Runs before the first paint (a plain script, not a module), so that a chosen theme never flashes the other one.
(() => {
  const KEY = 'sandbox-theme';
  const system = matchMedia('(prefers-color-scheme: dark)');
  let stored = null;
  try { stored = localStorage.getItem(KEY); } catch { /* storage may be forbidden; the system's choice then stands */ }

  const dark = () => (stored ? stored === 'dark' : system.matches);
  const apply = () => {
    document.documentElement.dataset.theme = dark() ? 'dark' : 'light';
    const button = document.getElementById('theme');
    if (!button) return;
    button.textContent = dark() ? '☀' : '☾';
    button.setAttribute('aria-label', dark() ? 'Switch to light' : 'Switch to dark');
    button.title = button.getAttribute('aria-label');
  };

  apply();
  system.addEventListener('change', apply);
  document.addEventListener('DOMContentLoaded', () => {
    apply();
    document.getElementById('theme').addEventListener('click', () => {
      stored = dark() ? 'light' : 'dark';
      try { localStorage.setItem(KEY, stored); } catch { /* lasts until the page is closed, then */ }
      apply();
    });
  });
})();
