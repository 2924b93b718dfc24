// Makes every figure.mfa-chart of a page answer to pointer and keyboard. Needs nothing else.
(() => {
  "use strict";
  const all = (root, query) => Array.from(root.querySelectorAll(query));

  // The links of one frame: ends from its data table, shapes from its picture.
  function linksOf(frame, table) {
    const links = new Map();
    for (const row of all(table, "tr[data-link]")) {
      const { link, from, to } = row.dataset;
      links.set(link, { from, to, groups: [], back: false });
    }
    for (const group of all(frame, "g[data-link]")) {
      const link = links.get(group.dataset.link);
      if (!link) continue;
      link.groups.push(group);
      link.back = link.back || group.querySelector(".return") !== null;
    }
    return links;
  }

  // Everything that can be reached; lanes that return are shown, but not followed any further.
  function follow(links, start, near, far) {
    const nodes = new Set(start), found = new Set(), waiting = [...start];
    while (waiting.length) {
      const node = waiting.pop();
      for (const [id, link] of links) {
        if (link[near] !== node) continue;
        found.add(id);
        const next = link[far];
        if (next === undefined || link.back || nodes.has(next)) continue;
        nodes.add(next);
        waiting.push(next);
      }
    }
    return { nodes, found };
  }

  function start(figure) {
    if (figure.dataset.ready) return;
    figure.dataset.ready = "1";
    const frames = all(figure, ".mfa-frame");
    const tables = all(figure, ".mfa-data table");
    const panel = figure.querySelector(".mfa-picked");
    const key = figure.querySelector(".mfa-key");
    const scenes = frames.map((frame, i) => linksOf(frame, tables[i]));
    let shown = frames.length - 1;
    let picked = null;

    const boxes = (node) => all(frames[shown], "rect.box").filter((r) => r.dataset.node === node);

    function clear() {
      for (const item of all(figure, ".up, .down, .picked, .off")) {
        item.classList.remove("up", "down", "picked", "off");
      }
      for (const svg of all(figure, "svg")) svg.classList.remove("picking");
      panel.replaceChildren();
      key.hidden = true;
    }

    function mark(reached, name) {
      for (const id of reached.found) scenes[shown].get(id).groups.forEach((g) => g.classList.add(name));
      for (const node of reached.nodes) boxes(node).forEach((box) => box.classList.add(name));
    }

    function describe(title, rows) {
      const heading = document.createElement("h4");
      heading.textContent = title;
      const table = document.createElement("table");
      table.append(tables[shown].tHead.cloneNode(true));
      const body = table.createTBody();
      for (const row of rows) body.append(row.cloneNode(true));
      panel.replaceChildren(heading, table);
    }

    function pick(choice) {
      clear();
      picked = choice;
      if (!choice) return;
      const links = scenes[shown];
      const rows = all(tables[shown], "tbody tr");
      const link = choice.link === undefined ? null : links.get(choice.link);
      if (choice.link !== undefined && !link) return;
      const ends = link ? [link.from, link.to] : [choice.node, choice.node];
      const known = ends.map((end) => (end === undefined ? [] : [end]));
      mark(follow(links, known[0], "to", "from"), "up");
      mark(follow(links, known[1], "from", "to"), "down");
      frames[shown].querySelector("svg").classList.add("picking");
      key.hidden = false;
      const shapes = link ? link.groups : boxes(choice.node);
      for (const shape of shapes) {
        shape.classList.remove("up", "down");
        shape.classList.add("picked");
      }
      for (const label of all(frames[shown], "[data-of]")) {
        const groups = (links.get(label.dataset.of) || { groups: [] }).groups;
        label.classList.toggle("off", !groups.some((g) => g.matches(".up, .down, .picked")));
      }
      const mine = link
        ? rows.filter((row) => row.dataset.link === choice.link)
        : rows.filter((row) => [row.dataset.node, row.dataset.from, row.dataset.to].includes(choice.node));
      describe(choice.title, mine);
    }

    function show(index) {
      shown = index;
      frames.forEach((frame, i) => { frame.hidden = i !== index; });
      tables.forEach((table, i) => { table.hidden = i !== index; });
      pick(picked);
    }

    function listen(shape, choice) {
      shape.setAttribute("tabindex", "0");
      shape.setAttribute("role", "button");
      shape.setAttribute("aria-label", choice.title);
      shape.addEventListener("click", (event) => { event.stopPropagation(); pick(choice); });
      shape.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        pick(choice);
      });
    }

    const titleOf = (shape) => {
      const title = shape.querySelector("title");
      return title ? title.textContent.split("\n")[0] : "";
    };
    for (const frame of frames) {
      frame.querySelector("svg").setAttribute("role", "group");
      const seen = new Set();
      for (const group of all(frame, "g[data-link]")) {
        const link = group.dataset.link;
        if (seen.has(link)) continue;
        seen.add(link);
        listen(group, { link, title: titleOf(group) });
      }
      for (const box of all(frame, "rect.box[data-node]")) {
        listen(box, { node: box.dataset.node, title: titleOf(box) });
      }
      frame.addEventListener("click", () => pick(null));
      const heading = frame.querySelector("h3");
      if (heading) heading.hidden = true;
    }
    figure.addEventListener("keydown", (event) => { if (event.key === "Escape") pick(null); });
    const years = figure.querySelector(".mfa-years");
    if (years) {
      const slider = years.querySelector("input"), output = years.querySelector("output");
      const turn = () => {
        const label = frames[Number(slider.value)].dataset.label;
        output.textContent = label;
        slider.setAttribute("aria-valuetext", label);
        show(Number(slider.value));
      };
      slider.addEventListener("input", turn);
      years.hidden = false;
      turn();
    } else if (frames.length) show(shown);
    figure.querySelector(".mfa-hint").hidden = false;
  }

  const begin = () => all(document, "figure.mfa-chart").forEach(start);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
