(() => {
  const PAGE = 200; // rows that are added at a time
  const data = id => JSON.parse(document.getElementById(id).textContent);
  const table = document.getElementById("verdicts"), body = table.tBodies[0];
  const status = document.getElementById("shown"), more = document.getElementById("more");
  const fold = document.getElementById("open");
  const fields = [...document.querySelectorAll(".filters [data-filter]")];
  const headers = [...table.tHead.rows[0].cells];
  let rows = null, signs, fitting = [], drawn = 0;
  function load() {
    const { texts, rows: plain } = data("rows");
    signs = data("signs");
    const verdicts = Object.keys(signs);
    rows = plain.map(([study, part, name, kind, statement, protocol, published, ours, interval,
      seeds, verdict, note, reason]) => {
      const row = { study, part, name, kind, protocol, published, ours, interval, seeds, verdict };
      row.statement = texts[statement]; row.note = texts[note]; row.reason = texts[reason];
      row.text = [study, name, row.statement, protocol, published, ours, verdict, row.note,
        row.reason].join(" ").toLowerCase();
      row.keys = [`${study}.${name}`, row.statement, protocol, String(verdicts.indexOf(verdict)),
        published, ours, row.note + row.reason];
      return row;
    });
  }
  function element(tag, content, kind) {
    const made = document.createElement(tag);
    if (kind) made.className = kind;
    made.append(...[content].flat());
    return made;
  }
  function line(row) {
    const link = element("a", row.name);
    link.href = `${row.study}.${row.part}.html#${row.study}.${row.name}`;
    const badge = element("span", `${signs[row.verdict]} ${row.verdict}`,
      "badge " + row.verdict.replaceAll(" ", "-"));
    const under = [row.interval, row.seeds ? `${row.seeds} seed${row.seeds > 1 ? "s" : ""}` : ""];
    const ours = [row.ours, ...under.filter(Boolean).flatMap(
      text => [document.createElement("br"), element("small", text)])];
    const told = [row.note, row.reason].filter(Boolean).map(text => element("p", text));
    const remark = told.length ? element("details",
      [element("summary", row.reason ? "why" : "note"), ...told]) : "";
    const numeric = text => "number" + (text && isNaN(Number(text)) ? " words" : "");
    const cells = [
      element("td", [element("small", row.study), document.createElement("br"), link], "id"),
      element("td", row.statement, "wide"), element("td", row.protocol.replaceAll("_", " ")),
      element("td", badge), element("td", row.published, numeric(row.published)),
      element("td", ours, numeric(row.ours)), element("td", remark, "remark")];
    return element("tr", cells);
  }
  function draw() {
    body.append(...fitting.slice(drawn, drawn + PAGE).map(line));
    drawn = Math.min(drawn + PAGE, fitting.length);
    more.hidden = drawn === fitting.length;
    status.textContent = `${fitting.length} of ${rows.length} rows` +
      (drawn < fitting.length ? `, the first ${drawn} shown` : "");
  }
  function filter() {
    const wanted = fields.map(field => [field.dataset.filter, field.value.trim().toLowerCase()]);
    fitting = rows.filter(row => wanted.every(([key, value]) => !value || (key === "text"
      ? value.split(/\s+/).every(word => row.text.includes(word))
      : row[key].toLowerCase() === value)));
    body.replaceChildren();
    drawn = 0;
    draw();
  }
  function sort(header) {
    const column = header.cellIndex, down = header.getAttribute("aria-sort") === "ascending";
    for (const other of headers) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const number = text => text.trim() === "" ? NaN : Number(text);
    rows.sort((a, b) => {
      const x = a.keys[column], y = b.keys[column], m = number(x), n = number(y);
      const order = !isNaN(m) && !isNaN(n) ? m - n : !isNaN(m) ? -1 : !isNaN(n) ? 1
        : x.localeCompare(y, "en", { numeric: true });
      return down ? -order : order;
    });
    filter();
  }
  function show() {
    if (!fold.open || rows) return;
    load();
    filter();
  }
  fold.addEventListener("toggle", show);
  for (const field of fields) field.addEventListener("input", filter);
  for (const header of headers)
    header.querySelector("button").addEventListener("click", () => sort(header));
  more.addEventListener("click", draw);
  document.getElementById("reset").addEventListener("click", () => {
    for (const field of fields) field.value = "";
    filter();
  });
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const field of fields)
    if (asked.has(field.dataset.filter)) {
      field.value = asked.get(field.dataset.filter);
      fold.open = true;
    }
  show();
})();
