(() => {
  "use strict";
  const editions = Array.from(document.querySelectorAll(".edition"));
  const key = `mfa-report:${location.pathname}`;

  // What the reader chose stays when the page is loaded again, where the browser allows to keep it.
  function remember(name, value) {
    try {
      const kept = JSON.parse(sessionStorage.getItem(key) || "{}");
      kept[name] = value;
      sessionStorage.setItem(key, JSON.stringify(kept));
    } catch { /* not allowed: nothing is kept */ }
  }

  function remembered() {
    try {
      return JSON.parse(sessionStorage.getItem(key) || "{}");
    } catch {
      return {};
    }
  }

  function turnTo(lang, focus) {
    const chosen = editions.find((edition) => edition.lang === lang);
    if (!chosen) return;
    for (const edition of editions) edition.hidden = edition !== chosen;
    document.documentElement.lang = lang;
    document.title = chosen.dataset.title;
    if (focus) chosen.querySelector(`.switch [data-lang="${lang}"]`).focus();
  }

  for (const group of document.querySelectorAll(".switch")) group.hidden = false;
  for (const button of document.querySelectorAll(".switch button")) {
    button.addEventListener("click", () => {
      turnTo(button.dataset.lang, true);
      remember("lang", button.dataset.lang);
    });
  }

  const sliders = Array.from(document.querySelectorAll(".mfa-years input"));
  const each = sliders.length / editions.length; // the same sliders in every language
  for (const [at, slider] of sliders.entries()) {
    slider.addEventListener("input", () => {
      remember(`slider ${at}`, [slider.max, slider.value]);
      for (const [there, other] of sliders.entries()) {
        if (there % each !== at % each || other.value === slider.value) continue;
        other.value = slider.value;
        other.dispatchEvent(new Event("input"));
      }
    });
  }
  const folds = Array.from(document.querySelectorAll(".edition details"));
  for (const [at, fold] of folds.entries()) {
    fold.addEventListener("toggle", () => remember(`fold ${at}`, [folds.length, fold.open]));
  }

  // A link into a closed table opens it.
  function unfold() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const edition = target.closest(".edition");
    if (edition && edition.hidden) turnTo(edition.lang, false);
    for (let at = target.parentElement; at; at = at.parentElement) if (at.matches("details")) at.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", unfold);

  const kept = remembered();
  if (kept.lang) turnTo(kept.lang, false);
  for (const [at, slider] of sliders.entries()) {
    const [max, value] = kept[`slider ${at}`] || [];
    if (max !== slider.max) continue;
    slider.value = value;
    slider.dispatchEvent(new Event("input"));
  }
  for (const [at, fold] of folds.entries()) {
    const [length, open] = kept[`fold ${at}`] || [];
    if (length === folds.length) fold.open = open;
  }
  unfold();
})();
