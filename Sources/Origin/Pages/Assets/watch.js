"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  let video = $("video");
  const path = location.pathname.replace(/^.*\/watch\//, "").replace(/\/+$/, "");
  const wedding = path.split("/")[0];
  const name = decode(path);
  const token = takeToken();
  const base = location.origin;
  // Playlists and segments may come from a CDN; the API is here.
  const media = document.querySelector("meta[name=wedlive-media]")?.content || base;
  const query = new URLSearchParams(location.search);
  const hlsMeta = document.querySelector("meta[name=wedlive-hls-js]");
  const forced = query.get("player");
  const builtIn = video.canPlayType("application/vnd.apple.mpegurl") !== "";
  // With a long window the player of Chromium can't go back: what it says can be sought is empty.
  const prefersScript = Boolean(hlsMeta?.dataset.preferred && hlsMeta.content && window.MediaSource);
  let native = builtIn && forced !== "hls.js" && !prefersScript;

  const cameras = wedliveCameras({
    wedding, base, token, channel: path.split("/")[1] || "program", attach, address,
    show: (channel, quality) => {
      playlist = address(channel, quality);
      if (!attached() && state !== "live") return poll();
      stop();
      show("loading");
      poll();
    },
  });
  const spare = wedliveSpare({
    video: () => video,
    address: () => playlist,
    // Near the live edge alone, as that is where another begins; and where somebody sees or hears it.
    mayReplace: () => native && !hls && state === "live" && attached() && !isBehind() &&
      // One that has failed says that it is paused, too.
      !(video.error ? wasPaused : video.paused) && !(document.hidden && video.muted),
    adopt: (next) => {
      video = next;
      listen(video);
      lastTime = -1;
      lastProgress = performance.now();
      origin = NaN;
      controls();
    },
    failed: recover,
  });
  let playlist = address(cameras.channel, "auto");
  let state = "loading";
  let hls = null;
  let pollTimer = 0;
  let pollRound = 0;
  let failures = 0;
  let restarts = 0;
  let lastTime = -1;
  let lastProgress = 0;
  let stalledAt = -1;
  let returnedAt = 0;
  let wasLive = false;
  let wasPaused = true;
  let repairedAt = -Infinity;
  let recoveredAt = -Infinity;
  let clockOffset = 0;
  let origin = NaN;
  let factsAt = 0;

  $("title").textContent = name;
  document.title = name;

  const texts = {
    loading: ["One moment…", ""],
    offline: ["The stream isn’t live yet", "Leave this page open: it starts by itself."],
    waiting: ["The camera is away for a moment", "Leave this page open: it goes on by itself."],
    ended: ["The stream has ended", "Thank you for being there. If it goes on, it starts here by itself."],
    private: ["This stream is private", "Please use the whole link of your invitation. If you did, it may have expired."],
    unreachable: ["No connection", "The server doesn’t answer at the moment. Trying again…"],
  };
  const cameraTexts = {
    offline: ["This camera isn’t live yet", "It starts here by itself; the program shows another one meanwhile."],
    waiting: ["This camera is away for a moment", "It goes on here by itself; the program shows another one meanwhile."],
  };
  const badges = { loading: "…", live: "Live", waiting: "Paused", offline: "Offline", ended: "Ended", private: "Private",
    unsupported: "Can’t play", unreachable: "Offline" };

  // Where a camera, or the program, is played: all its qualities, or one of them.
  function address(channel, quality) {
    const folder = channel === "program" && quality === "auto" ? wedding : `${wedding}/${channel}`;
    const file = quality === "auto" ? "index.m3u8" : `${quality}/index.m3u8`;
    return `${media}/hls/${folder}/${file}${token ? `?token=${encodeURIComponent(token)}` : ""}`;
  }

  function decode(text) {
    try { return decodeURIComponent(text); } catch { return text; }
  }

  // The token leaves the address bar, so that it isn't shared by accident; a reload still has it.
  function takeToken() {
    const key = `wedlive:${location.pathname}`;
    const search = new URLSearchParams(location.search);
    const given = search.get("token");
    if (given) {
      search.delete("token");
      const rest = search.toString();
      history.replaceState(null, "", location.pathname + (rest ? `?${rest}` : "") + location.hash);
      try { sessionStorage.setItem(key, given); } catch { /* private mode */ }
      return given;
    }
    try { return sessionStorage.getItem(key) || ""; } catch { return ""; }
  }

  function show(next, text) {
    const changed = state !== next;
    state = next;
    document.body.dataset.state = next;
    $("badge").textContent = badges[next] ?? next;
    $("notice").hidden = next === "live";
    $("facts").hidden = next !== "live";
    $("retry").hidden = next !== "private" && next !== "unsupported";
    const known = cameras.channel === "program" ? texts : { ...texts, ...cameraTexts };
    const [headline, detail] = text ?? known[next] ?? ["", ""];
    if (changed || text || headline !== $("headline").textContent) {
      $("headline").textContent = headline;
      $("detail").replaceChildren(...(Array.isArray(detail) ? detail : [detail]));
    }
    controls();
  }

  function code(text) {
    const element = document.createElement("code");
    element.textContent = text;
    return element;
  }

  // Finding out what the stream does

  async function poll() {
    clearTimeout(pollTimer);
    const round = ++pollRound;
    let wait = 3000;
    try {
      const response = await fetch(`${base}/api/streams/playback/${wedding}`, {
        headers: token ? { Authorization: `Bearer ${token}` } : {}, cache: "no-store",
      });
      synchronise(response);
      if (response.status === 401 || response.status === 403) {
        stop();
        show("private");
        return;
      }
      const answer = response.ok ? await response.json() : {};
      failures = 0;
      await cameras.update();
      wait = await follow(stateOf(answer));
    } catch {
      failures += 1;
      if (state !== "live") show("unreachable");
      wait = Math.min(15000, 2000 * failures);
    }
    if (round === pollRound) pollTimer = setTimeout(poll, wait * (0.85 + Math.random() * 0.3));
  }

  // The API says whether a publisher is there; whether it comes back, only time tells.
  function stateOf(answer) {
    const camera = cameras.status();
    if (camera === "gone") {
      cameras.select("program");
      return answer.state ?? "live";
    }
    if (cameras.channel !== "program") {
      return { waiting: "offline", lost: "waiting" }[camera] ?? "live";
    }
    if (answer.state) return answer.state;
    if (answer.is_live) return "live";
    if (state === "ended" || !wasLive) return state === "ended" ? "ended" : "offline";
    return idleFor() > 90000 ? "ended" : "waiting";
  }

  // Does what the state asks for, and says in how many milliseconds to ask again.
  async function follow(next) {
    switch (next) {
      case "live":
        if (state === "unsupported") return 10000;
        if (state === "waiting" && attached()) {
          // The player goes on by itself; one that doesn't is started anew.
          returnedAt ||= performance.now();
          if (performance.now() - returnedAt < 8000) return 2000;
        }
        returnedAt = 0;
        if (state !== "live") await start();
        return 10000;
      case "waiting":
        returnedAt = 0;
        // A player that is there stays: it goes on in the same playlist when the publisher returns.
        if (!attached() || idleFor() > 4000) show("waiting");
        return 2000;
      case "ended":
        // What is buffered is still shown to its end.
        if (attached() && idleFor() < 4000 && !video.ended) return 3000;
        stop();
        show("ended");
        return 15000;
      default:
        if (attached() && idleFor() < 4000) return 3000;
        stop();
        show("offline");
        return 3000;
    }
  }

  function synchronise(response) {
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (Number.isNaN(date)) return;
    const offset = date + 500 - Date.now();
    clockOffset = Math.abs(offset) > 2500 ? offset : 0;
  }

  // Playing

  async function start() {
    lastTime = -1;
    lastProgress = performance.now();
    await settleNative();
    if (native) {
      $("player").textContent = "built in";
      if (video.src !== playlist) video.src = playlist;
      video.load();
    } else if (!(await startHls())) {
      return;
    }
    show("live");
    // Where the browser wants a gesture first, the person presses play.
    video.play().catch(() => {});
    controls();
  }

  function stop() {
    spare.cancel();
    if (hls) { hls.destroy(); hls = null; }
    if (video.hasAttribute("src")) { video.removeAttribute("src"); video.load(); }
    origin = NaN;
  }

  // Where the script is preferred but can't be had, the browser plays as well as it can.
  async function settleNative() {
    if (!prefersScript || !builtIn || native || forced === "hls.js") return;
    if (!window.Hls && !(await loadScript())) native = true;
  }

  async function startHls() {
    if (!window.MediaSource && !window.ManagedMediaSource) return unsupported("This browser can’t play live streams.");
    if (!window.Hls && !(await loadScript())) return unsupported("This browser needs a player script that couldn’t be loaded.");
    if (!window.Hls.isSupported()) return unsupported("This browser can’t play live streams.");
    if (hls) hls.destroy();
    $("player").textContent = `hls.js ${window.Hls.version ?? ""}`.trim();
    hls = new window.Hls({ liveSyncDurationCount: 2, liveMaxLatencyDurationCount: 8 });
    hls.on(window.Hls.Events.ERROR, (_, data) => {
      if (!data.fatal || !hls) return;
      // What is broken for good would be repaired without a pause, by every viewer at once.
      const now = performance.now();
      const isRepair = data.type === window.Hls.ErrorTypes.MEDIA_ERROR && now - repairedAt > 10000;
      if (!isRepair) return recover();
      repairedAt = now;
      hls.recoverMediaError();
    });
    hls.loadSource(playlist);
    hls.attachMedia(video);
    return true;
  }

  // Plays a stream in another video of the page; what is returned takes it away again.
  async function attach(small, url, failed) {
    await settleNative();
    if (native) {
      small.onerror = failed;
      small.src = url;
      return () => { small.onerror = null; small.removeAttribute("src"); small.load(); };
    }
    if (!window.Hls && !(await loadScript())) return failed();
    const player = new window.Hls({ liveSyncDurationCount: 2, maxBufferLength: 6 });
    player.on(window.Hls.Events.ERROR, (_, data) => { if (data.fatal) failed(); });
    player.loadSource(url);
    player.attachMedia(small);
    return () => player.destroy();
  }

  function loadScript() {
    const source = hlsMeta?.content;
    if (!source) return Promise.resolve(false);
    return new Promise((resolve) => {
      const script = document.createElement("script");
      script.src = source;
      if (new URL(source, location.href).origin !== location.origin) script.crossOrigin = "anonymous";
      if (hlsMeta.dataset.integrity) script.integrity = hlsMeta.dataset.integrity;
      script.onload = () => resolve(Boolean(window.Hls));
      script.onerror = () => resolve(false);
      document.head.append(script);
      setTimeout(() => resolve(Boolean(window.Hls)), 15000);
    });
  }

  function unsupported(headline) {
    const parts = ["Open this page in Safari, or in a current Chrome or Edge, which play it themselves"];
    if (hlsMeta?.content && !window.Hls) parts.push("; or let the browser reach ", code(new URL(hlsMeta.content, location.href).host));
    parts.push(". In VLC, open the network stream ", code(playlist.split("?")[0]), ".");
    show("unsupported", [headline, parts]);
    return false;
  }

  // Begins anew after an error: asks first whether the stream is still there. At once where that is
  // the first time, but not all viewers in the same moment.
  function recover() {
    if (!attached()) return;
    stop();
    show("loading");
    clearTimeout(pollTimer);
    restarts += 1;
    const now = performance.now();
    const isFirst = restarts === 1 && now - recoveredAt > 10000;
    recoveredAt = now;
    pollTimer = setTimeout(poll, isFirst ? 50 + 250 * Math.random() : Math.min(15000, 500 * 2 ** restarts));
  }

  function attached() {
    return hls !== null || video.hasAttribute("src");
  }

  function idleFor() {
    return performance.now() - lastProgress;
  }

  function watchdog() {
    if (state !== "live" && state !== "waiting") return;
    if (video.currentTime !== lastTime || video.paused) {
      if (!video.paused && lastTime >= 0) {
        restarts = 0;
        if (state === "waiting") show("live");
      }
      wasLive = true;
      lastTime = video.currentTime;
      lastProgress = performance.now();
    } else if (idleFor() > 6000 && stalledAt !== lastTime) {
      // Nothing comes: has the publisher gone?
      stalledAt = lastTime;
      poll();
    } else if (state === "live" && idleFor() > 15000) {
      recover();
    }
    if (!video.error) wasPaused = video.paused;
    spare.look();
    controls();
    facts();
  }

  // What stands around the picture

  function liveEdge() {
    const seekable = video.seekable;
    const end = seekable.length ? seekable.end(seekable.length - 1) : NaN;
    return Number.isFinite(end) ? end : NaN;
  }

  function controls() {
    const live = state === "live";
    $("unmute").hidden = !live || !(video.muted || video.volume === 0);
    $("golive").hidden = !live || !isBehind();
  }

  function isBehind() {
    return liveEdge() - video.currentTime > 25 || latency() > 40;
  }

  function latency() {
    if (hls && Number.isFinite(hls.latency) && hls.latency > 0) return hls.latency;
    const now = Date.now() + clockOffset;
    const started = video.getStartDate?.().getTime();
    if (Number.isFinite(started)) return (now - started) / 1000 - video.currentTime;
    return (now - origin) / 1000 - video.currentTime;
  }

  function facts() {
    const now = performance.now();
    if (now - factsAt > (Number.isNaN(origin) ? 2000 : 10000) && !hls && !video.getStartDate && !document.hidden) {
      factsAt = now;
      readEdge();
    }
    if (video.videoWidth) $("quality").textContent = `${video.videoWidth} × ${video.videoHeight}`;
    const seconds = latency();
    $("latency").textContent = Number.isFinite(seconds) && seconds > 0 && seconds < 600 ? `${seconds.toFixed(1)} s` : "–";
  }

  // When the player's time 0 was, in real time, for browsers that don't tell. What is buffered ends
  // with a segment: the last one of the playlist, or one before it. So the earliest value found
  // from the end of the playlist (its last EXT-X-PROGRAM-DATE-TIME and what follows it) is right.
  async function readEdge() {
    const buffered = video.buffered.length ? video.buffered.end(video.buffered.length - 1) : NaN;
    if (!Number.isFinite(buffered)) return;
    try {
      let address = playlist;
      for (let depth = 0; depth < 2; depth += 1) {
        const response = await fetch(address, { cache: "no-store" });
        if (!response.ok) return;
        const lines = (await response.text()).split("\n");
        if (!lines.some((line) => line.startsWith("#EXTINF"))) {
          const child = lines.find((line) => line && !line.startsWith("#"));
          if (!child) return;
          address = new URL(child, address).href;
          continue;
        }
        let time = NaN;
        for (const line of lines) {
          if (line.startsWith("#EXT-X-PROGRAM-DATE-TIME:")) time = Date.parse(line.slice(25));
          else if (line.startsWith("#EXTINF:")) time += Number.parseFloat(line.slice(8)) * 1000;
        }
        const found = time - buffered * 1000;
        if (Number.isFinite(found) && !(found > origin && found - origin < 30000)) origin = found;
        return;
      }
    } catch { /* the next round */ }
  }

  $("unmute").addEventListener("click", () => {
    video.muted = false;
    if (video.volume === 0) video.volume = 1;
    video.play().catch(() => {});
    controls();
  });
  $("golive").addEventListener("click", () => {
    const end = liveEdge();
    if (Number.isFinite(end)) {
      video.currentTime = Math.max(0, end - 6);
      video.play().catch(() => {});
    } else {
      stop();
      start();
    }
  });
  $("retry").addEventListener("click", () => { show("loading"); poll(); });
  // One whose place another has taken says nothing any more.
  function listen(each) {
    each.addEventListener("volumechange", controls);
    each.addEventListener("ended", () => {
      if (each !== video) return;
      stop();
      show("ended");
      poll();
    });
    each.addEventListener("error", () => {
      if (each === video && each.hasAttribute("src") && !spare.begin()) recover();
    });
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden && !attached()) poll(); });

  listen(video);
  video.muted = true;
  show("loading");
  setInterval(watchdog, 1000);
  poll();
})();
