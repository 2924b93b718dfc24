// Added to the page only while `mfa watch` serves it: a new page is loaded, problems are listed.
(() => {
  "use strict";
  const version = Number(document.currentScript.dataset.version);
  const box = document.createElement("aside");
  box.id = "watch";
  box.setAttribute("role", "alert");
  box.style.cssText = "position:sticky;top:0;z-index:9;max-height:45vh;overflow:auto;" +
    "padding:8px 28px;background:#fff4f2;border-bottom:3px solid #b3261e;font-size:14px";
  box.hidden = true;
  document.body.prepend(box);
  let last = "[]";

  function show(problems) {
    const errors = problems.filter((p) => p.severity === "error").length;
    const title = document.createElement("strong");
    const list = document.createElement("ul");
    const japanese = document.documentElement.lang === "ja";
    const [broken, old] = japanese
      ? [`保存されたファイルは使えない（${errors} 件）。`, "以下は直前の正しい結果。"]
      : [`The file as saved cannot be used (${errors}). `, "Below is the last good picture."];
    title.textContent = version ? broken + old : broken;
    list.style.margin = "4px 0";
    for (const problem of problems) {
      const item = document.createElement("li");
      item.textContent = `${problem.severity}: ${problem.text}`;
      list.append(item);
    }
    box.replaceChildren(title, list);
    box.hidden = problems.length === 0;
  }

  async function ask() {
    try {
      const answer = await fetch("/state", { cache: "no-store" });
      const state = await answer.json();
      if (state.version !== version) {
        location.reload();
        return;
      }
      const now = JSON.stringify(state.problems);
      if (now !== last) {
        last = now;
        show(state.problems);
      }
      box.dataset.connected = "yes";
    } catch {
      box.dataset.connected = "no"; // watching has ended, or begins again in a moment
    }
    setTimeout(ask, 200);
  }
  ask();
})();
