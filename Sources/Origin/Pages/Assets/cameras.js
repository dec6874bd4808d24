"use strict";
// The cameras of a wedding beside its program: their list, a grid of them, one over the picture, and the
// qualities of what is shown.
//
// options: wedding, base, token; attach(video, url) plays a stream in a small video and returns what
// takes it away again; show(channel, quality) plays something in the large one.
function wedliveCameras(options) {
  const $ = (id) => document.getElementById(id);
  const words = { live: "Live", waiting: "Not yet live", lost: "Away" };
  const program = { camera_id: "program", camera_name: "Program" };
  const tiles = new Map();
  let cameras = [];
  let active = "";
  let channel = options.channel;
  let layout = "single";
  let inset = "";
  let quality = "auto";
  let qualities = [];
  let round = 0;

  function get(path) {
    return fetch(`${options.base}/api/streams/${path}`, {
      headers: options.token ? { Authorization: `Bearer ${options.token}` } : {}, cache: "no-store",
    });
  }

  // Asks what there is; a list that can't be had stays as it was.
  async function update() {
    const mine = ++round;
    try {
      const response = await get(`cameras/${options.wedding}`);
      if (!response.ok) return;
      const answer = await response.json();
      if (mine !== round) return;
      // A main camera that nobody has published may never come.
      cameras = (answer.cameras ?? []).filter((each) =>
        each.camera_id !== "main" || each.status !== "waiting");
      active = answer.active_camera_id ?? "";
    } catch { return; }
    await updateQualities();
    draw();
  }

  async function updateQualities() {
    const mine = channel;
    try {
      const response = await get(`qualities/${options.wedding}?camera_id=${encodeURIComponent(mine)}`);
      const found = response.ok ? (await response.json()).qualities ?? [] : [];
      if (mine !== channel) return;
      qualities = found;
    } catch { /* those that were there stay */ }
  }

  function camera(id) { return cameras.find((each) => each.camera_id === id); }

  // What the chosen camera does: `live`, `waiting`, `lost`, or `gone` where it was removed.
  function status() {
    if (channel === "program") return "live";
    return camera(channel)?.status ?? (cameras.length ? "gone" : "live");
  }

  function select(next, nextQuality = "auto") {
    const changed = next !== channel;
    channel = next;
    quality = nextQuality;
    if (changed) { qualities = []; updateQualities().then(drawQualities); }
    if (inset === channel) inset = "";
    options.show(channel, quality);
    draw();
  }

  // Drawing

  function element(name, className, text = "") {
    const made = document.createElement(name);
    made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  function draw() {
    const several = cameras.length > 1;
    $("cameras").hidden = !several;
    $("layouts").hidden = !several;
    if (!several) layout = "single";
    document.body.dataset.layout = layout;
    for (const button of document.querySelectorAll("#layouts [data-layout]")) {
      button.setAttribute("aria-pressed", String(button.dataset.layout === layout));
    }
    drawList();
    drawTiles();
    drawQualities();
  }

  function drawList() {
    const list = $("cameras");
    const wanted = cameras.length > 1 ? [program, ...cameras] : [];
    const known = new Map([...list.children].map((item) => [item.dataset.camera, item]));
    for (const [place, each] of wanted.entries()) {
      const item = known.get(each.camera_id) ?? makeItem(each.camera_id);
      known.delete(each.camera_id);
      const isProgram = each.camera_id === "program";
      item.dataset.status = isProgram ? "program" : each.status;
      item.setAttribute("aria-pressed", String(each.camera_id === channel));
      item.querySelector(".name").textContent = each.camera_name;
      item.querySelector(".status").textContent = isProgram ? camera(active)?.camera_name ?? "" :
        each.camera_id === active ? `${words[each.status]} · on air` : words[each.status] ?? each.status;
      // Where it stands already it keeps the keyboard's focus.
      if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
    }
    for (const gone of known.values()) gone.remove();
  }

  function makeItem(id) {
    const item = element("button", "camera");
    item.type = "button";
    item.dataset.camera = id;
    item.append(element("span", "name"), element("span", "status"));
    item.addEventListener("click", () => select(id));
    return item;
  }

  // Grid: every live camera besides the large picture. Picture in picture: one over it.
  function drawTiles() {
    const live = [program, ...cameras.filter((each) => each.status === "live")];
    const others = live.filter((each) => each.camera_id !== channel);
    let wanted = [];
    if (layout === "grid") wanted = others;
    if (layout === "pip") {
      const shown = channel === "program" ? active : channel;
      const chosen = others.find((each) => each.camera_id === inset && inset !== shown) ??
        others.find((each) => each.camera_id !== shown && each.camera_id !== "program") ?? others[0];
      inset = chosen?.camera_id ?? "";
      wanted = chosen ? [chosen] : [];
    }
    const place = layout === "pip" ? $("inset") : $("grid");
    $("inset").hidden = layout !== "pip" || !wanted.length;
    $("grid").hidden = layout !== "grid";
    for (const [id, tile] of tiles) {
      if (tile.element.parentNode === place && wanted.some((each) => each.camera_id === id)) continue;
      tile.detach();
      tile.element.remove();
      tiles.delete(id);
    }
    for (const each of wanted) {
      const tile = tiles.get(each.camera_id) ?? makeTile(each.camera_id, place);
      tile.element.querySelector(".name").textContent =
        each.camera_id === active ? `${each.camera_name} · on air` : each.camera_name;
    }
  }

  function makeTile(id, place) {
    const button = element("button", "tile");
    button.type = "button";
    button.dataset.camera = id;
    button.title = "Show it large";
    const video = element("video", "");
    video.muted = true;
    video.playsInline = true;
    video.autoplay = true;
    const problem = element("span", "problem", "Can’t be shown at the moment; trying again…");
    problem.hidden = true;
    button.append(video, problem, element("span", "name"));
    button.addEventListener("click", () => {
      const before = channel;
      select(id);
      if (layout === "pip") { inset = before; draw(); }
    });
    place.append(button);
    const tile = { element: button, detach: () => {} };
    tiles.set(id, tile);
    play(tile, video, problem, id);
    return tile;
  }

  // A small picture plays the smallest quality, and tries again after a failure.
  async function play(tile, video, problem, id) {
    let address = options.address(id, "auto");
    try {
      const response = await get(`qualities/${options.wedding}?camera_id=${encodeURIComponent(id)}`);
      const found = response.ok ? (await response.json()).qualities ?? [] : [];
      if (found.length > 1) address = options.address(id, found[found.length - 1].name);
    } catch { /* the playlist of all is as good */ }
    if (tiles.get(id) !== tile) return;
    let timer = 0;
    let end = () => {};
    const begin = async () => {
      end();
      end = (await options.attach(video, address, failed)) ?? (() => {});
      if (tiles.get(id) !== tile) end();
      video.play().catch(() => {});
    };
    function failed() {
      problem.hidden = false;
      clearTimeout(timer);
      timer = setTimeout(begin, 3000);
    }
    video.addEventListener("playing", () => { problem.hidden = true; });
    tile.detach = () => { clearTimeout(timer); end(); };
    begin();
  }

  function drawQualities() {
    const chooser = $("qualities");
    $("quality-choice").hidden = qualities.length < 2;
    const wanted = [["auto", "Automatic"], ...qualities.map((each) => [each.name, label(each)])];
    const text = JSON.stringify(wanted);
    if (chooser.dataset.text !== text) {
      chooser.dataset.text = text;
      chooser.replaceChildren(...wanted.map(([value, name]) => new Option(name, value)));
    }
    if (!qualities.some((each) => each.name === quality)) quality = "auto";
    chooser.value = quality;
  }

  function label(each) {
    const name = each.name === "source" ? "Original" : each.name;
    return each.height ? `${name} (${each.width} × ${each.height})` : name;
  }

  $("qualities").addEventListener("change", (event) => select(channel, event.target.value));
  for (const button of document.querySelectorAll("#layouts [data-layout]")) {
    button.addEventListener("click", () => { layout = button.dataset.layout; draw(); });
  }
  const popOut = $("popout");
  popOut.hidden = !document.pictureInPictureEnabled;
  popOut.addEventListener("click", () => {
    if (document.pictureInPictureElement) document.exitPictureInPicture().catch(() => {});
    else $("video").requestPictureInPicture().catch(() => {});
  });

  return { update, status, select, get channel() { return channel; } };
}
