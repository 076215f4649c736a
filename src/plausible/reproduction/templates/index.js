(() => {
  const table = document.getElementById("verdicts"), body = table.tBodies[0];
  const rows = [...body.rows], status = document.getElementById("shown");
  const fields = [...document.querySelectorAll(".filters [data-filter]")];
  const text = new Map(rows.map(row => [row, row.textContent.toLowerCase()]));
  function filter() {
    let shown = 0;
    for (const row of rows) {
      const fits = fields.every(field => {
        const wanted = field.value.trim().toLowerCase(), key = field.dataset.filter;
        return !wanted || (key === "text"
          ? wanted.split(/\s+/).every(word => text.get(row).includes(word))
          : row.dataset[key].toLowerCase() === wanted);
      });
      row.hidden = !fits;
      shown += fits;
    }
    status.textContent = `${shown} of ${rows.length} rows shown`;
  }
  function sort(header) {
    const column = header.cellIndex, down = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = row => row.cells[column].dataset.sort ?? row.cells[column].textContent;
    const number = text => text.trim() === "" ? NaN : Number(text);
    rows.sort((a, b) => {
      const x = value(a), y = value(b), m = number(x), n = number(y);
      const order = !isNaN(m) && !isNaN(n) ? m - n : !isNaN(m) ? -1 : !isNaN(n) ? 1
        : x.localeCompare(y, "en", { numeric: true });
      return down ? -order : order;
    });
    body.append(...rows);
  }
  for (const field of fields) field.addEventListener("input", filter);
  for (const header of table.tHead.rows[0].cells)
    header.querySelector("button").addEventListener("click", () => sort(header));
  document.getElementById("reset").addEventListener("click", () => {
    for (const field of fields) field.value = "";
    filter();
  });
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const field of fields)
    if (asked.has(field.dataset.filter)) field.value = asked.get(field.dataset.filter);
  document.querySelector(".filters").hidden = false;
  filter();
})();
