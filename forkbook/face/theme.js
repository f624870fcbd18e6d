// Whether the place around is dark: notebooks, editors and pages say it in different ways, so it is measured.

/** How light a colour is, from 0 to 1; null where it is not one. @param {string} colour "rgb(…)" */
export function lightness(colour) {
  const parts = colour.match(/[\d.]+/g)?.map(Number);
  if (!parts || parts.length < 3 || parts[3] === 0) return null;
  const [red, green, blue] = parts;
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}

/**
 * Keep the class `fb-dark` of a root as its place is.
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function followTheme(root, signal) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const measure = () => {
    const host = root.parentElement;
    if (!host) return;
    root.classList.toggle("fb-dark", isDark(host, dark.matches));
  };
  const watch = new MutationObserver(measure);
  for (const each of [document.documentElement, document.body]) watch.observe(each, { attributes: true });
  dark.addEventListener("change", measure, { signal });
  signal.addEventListener("abort", () => watch.disconnect());
  const placed = new ResizeObserver(measure); // styles reach a view when it stands in the page
  placed.observe(root);
  signal.addEventListener("abort", () => placed.disconnect());
  measure();
}

/** @param {HTMLElement} host @param {boolean} preferred */
function isDark(host, preferred) {
  const style = getComputedStyle(host);
  if (style.getPropertyValue("--jp-layout-color0")) {
    const probe = document.createElement("i");
    probe.style.background = "var(--jp-layout-color0)";
    host.append(probe);
    const ground = lightness(getComputedStyle(probe).backgroundColor);
    probe.remove();
    if (ground !== null) return ground < 0.5;
  }
  for (let above = /** @type {Node | null} */ (host); above; above = above.parentNode ?? /** @type {any} */ (above).host) {
    const ground = above instanceof Element ? lightness(getComputedStyle(above).backgroundColor) : null;
    if (ground !== null) return ground < 0.5;
  }
  const ink = lightness(style.color);
  return ink === null || ink === 0 ? preferred : ink > 0.5; // black is what a page without a style has
}
