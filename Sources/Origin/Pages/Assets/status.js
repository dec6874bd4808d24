"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const svgNamespace = "http://www.w3.org/2000/svg";
  const interval = 2000;
  const length = 90;
  const histories = new Map();
  let last = null;

  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  function svg(tag, attributes, ...children) {
    const made = document.createElementNS(svgNamespace, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function rate(bits) {
    if (bits >= 1e9) return `${(bits / 1e9).toFixed(2)} Gbit/s`;
    if (bits >= 1e6) return `${(bits / 1e6).toFixed(bits >= 1e7 ? 1 : 2)} Mbit/s`;
    return `${Math.round(bits / 1e3)} kbit/s`;
  }

  function size(bytes) {
    if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
    if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    return `${Math.round(bytes / 1024)} KiB`;
  }

  function time(milliseconds) {
    const total = Math.floor(milliseconds / 1000);
    const days = Math.floor(total / 86400);
    const clock = [Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60, total % 60]
      .map((part) => String(part).padStart(2, "0")).join(":");
    return days ? `${days} d ${clock}` : clock;
  }

  function figure(value, label) {
    return element("div", { className: "figure" }, element("b", { textContent: value }), element("span", { textContent: label }));
  }

  // The server's own history where it keeps one; else what this page has seen.
  function history(key, stream) {
    if (stream.bw_history.length) return stream.bw_history.slice(-length);
    const seen = histories.get(key) ?? [];
    seen.push(stream.traffic.bw_in);
    histories.set(key, seen.slice(-length));
    return histories.get(key);
  }

  function picture(values, now) {
    const width = 1000;
    const height = 110;
    const floor = 104;
    const top = Math.max(...values, 1) * 1.15;
    const step = width / (length - 1);
    const left = width - (values.length - 1) * step;
    const points = values.map((value, index) =>
      `${(left + index * step).toFixed(1)},${(floor - (value / top) * (floor - 24)).toFixed(1)}`);
    const line = `M${points.join("L")}`;
    const figure = element("figure", { className: "picture" });
    const fade = svg("linearGradient", { id: "fade", x1: 0, y1: 0, x2: 0, y2: 1 },
      svg("stop", { offset: "0", "stop-color": "#e3c08d", "stop-opacity": ".32" }),
      svg("stop", { offset: "1", "stop-color": "#e3c08d", "stop-opacity": "0" }));
    const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img",
      "aria-label": `bit rate, now ${rate(now)}` },
      svg("defs", {}, fade),
      svg("path", { class: "grid", d: `M0 24H${width}M0 64H${width}M0 ${floor}H${width}` }));
    if (values.length > 1) {
      drawing.append(svg("path", { class: "area", d: `${line}L${width},${floor}L${left.toFixed(1)},${floor}Z` }),
        svg("path", { class: "line", d: line }));
    }
    figure.append(drawing, element("figcaption", { textContent: `received, last ${Math.round((length * interval) / 60000)} min` }),
      element("figcaption", { className: "now", textContent: rate(now) }));
    return figure;
  }

  function described(stream) {
    const parts = [];
    const { video, audio } = stream;
    if (video) {
      let text = `${video.codec.toUpperCase()} ${video.profile} ${video.width} × ${video.height}`;
      if (video.frame_rate) text += `, ${Math.round(video.frame_rate * 100) / 100} fps`;
      parts.push(text.replace("  ", " "));
    }
    if (audio) parts.push(`${audio.codec.toUpperCase()} ${audio.profile} ${audio.sample_rate / 1000} kHz ${audio.channels === 1 ? "mono" : audio.channels === 2 ? "stereo" : `${audio.channels} channels`}`.replace("  ", " "));
    return parts.join(" · ") || "no media yet";
  }

  function number(label, value) {
    return element("div", {}, element("dt", { textContent: label }), element("dd", { textContent: value }));
  }

  function clients(stream) {
    if (!stream.clients.length) return null;
    const head = ["", "address", "client", "time", "timestamp", "A−V", "dropped"];
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...head.map((text, index) =>
      element("th", { textContent: text, className: index > 2 ? "n" : "" })))));
    const body = element("tbody");
    for (const client of stream.clients) {
      const role = (client.publishing ? "publishes" : "plays") + (client.secure ? " (TLS)" : "");
      body.append(element("tr", {},
        element("td", { textContent: role }), element("td", { textContent: client.address }),
        element("td", { textContent: client.flashver }),
        element("td", { className: "n", textContent: time(client.time_ms) }),
        element("td", { className: "n", textContent: time(client.timestamp_ms) }),
        element("td", { className: "n", textContent: `${client.avsync_ms} ms` }),
        element("td", { className: "n", textContent: String(client.dropped) })));
    }
    table.append(body);
    return element("div", { className: "scroll" }, table);
  }

  function qualities(stream) {
    if (stream.renditions.length < 2) return null;
    const { ladder } = stream;
    const list = element("ul", { className: "qualities" });
    for (const quality of stream.renditions) {
      const made = quality.name === "source" || (ladder && ladder.encoded.includes(quality.name));
      const shape = quality.width ? `${quality.width} × ${quality.height}, ` : "";
      list.append(element("li", { className: made ? "made" : "", title: made ? "" : "not encoded now; another quality stands in" },
        element("b", { textContent: quality.name }), ` ${shape}${rate(quality.average_bandwidth)}`));
    }
    return list;
  }

  function encoding(ladder) {
    if (!ladder) return null;
    if (ladder.state === "paused") return element("p", { className: "bad", textContent: "Too many transcode workers were lost. Lower qualities show the source; the log says why." });
    if (ladder.state === "idle") return element("p", { textContent: "Nobody watches a lower quality, so none is encoded." });
    const parts = [`encoding ${ladder.encoded.length} of its qualities`, `${ladder.lag_ms} ms behind`];
    if (ladder.step) parts.push(`quality ${ladder.step} ${ladder.step === 1 ? "step" : "steps"} down to keep up`);
    if (ladder.dropped) parts.push(`${ladder.dropped} pictures could not be decoded`);
    return element("p", { className: ladder.step ? "bad" : "", textContent: parts.join(" · ") });
  }

  function card(stream, status) {
    const key = `${stream.wedding}/${stream.camera}`;
    const badge = { live: ["live", "good"], waiting: ["publisher away", "bad"], ended: ["ended", ""] }[stream.state];
    const program = (status.programs ?? []).find((each) => each.wedding === stream.wedding);
    const title = element("h2", {}, stream.wedding, stream.camera === "main" && !program ? null : element("small", { textContent: ` ${stream.camera}` }));
    const top = element("div", { className: "top" }, title, element("span", { className: `badge ${badge[1]}`, textContent: badge[0] }));
    if (program && program.camera === stream.camera) {
      top.append(element("span", { className: "badge good", textContent: `in the program, ${program.viewers} watch it` }));
    }
    if (status.watch_base) {
      top.append(element("a", { href: status.watch_base + encodeURIComponent(stream.wedding), textContent: "watch", target: "_blank", rel: "noopener" }));
    }
    // An edge hands a stream on, and sees nothing of its pictures and sound.
    if (!stream.started_at_ms) {
      return element("article", { className: "stream" }, top, element("dl", { className: "numbers" },
        number("viewers", stream.viewers), number("sent", rate(stream.traffic.bw_out)),
        number("in all", size(stream.traffic.bytes_out))));
    }
    const numbers = element("dl", { className: "numbers" },
      number("viewers", stream.viewers), number("on air", time(stream.time_ms)),
      number("video", rate(stream.bw_video)), number("audio", rate(stream.bw_audio)),
      number("sent", rate(stream.traffic.bw_out)), number("received", size(stream.traffic.bytes_in)));
    if (stream.playlist) {
      numbers.append(number("segments", `${stream.playlist.segments} from ${stream.playlist.media_sequence}`),
        number("window", size(stream.playlist.memory_bytes)));
      if (stream.playlist.discontinuities) numbers.append(number("discontinuities", stream.playlist.discontinuities));
    }
    return element("article", { className: "stream" }, top,
      element("p", { className: "what", textContent: described(stream) }),
      picture(history(key, stream), stream.traffic.bw_in), numbers, qualities(stream), encoding(stream.ladder), clients(stream));
  }

  function doing(recording) {
    if (recording.state === "recording") return recording.writing ? "recording" : "waiting for the publisher or the disk";
    const done = recording.progress ? `, ${Math.round(recording.progress * 100)} %` : "";
    return recording.step ? `${recording.step}${done}` : recording.state;
  }

  function recordings(all) {
    $("recordings").hidden = !all.length;
    const head = ["wedding", "quality", "state", "length", "size", ""];
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...head.map((text, index) =>
      element("th", { textContent: text, className: index === 3 || index === 4 ? "n" : "" })))));
    const body = element("tbody");
    for (const recording of all) {
      const name = recording.camera === "main" ? recording.wedding : `${recording.wedding} ${recording.camera}`;
      body.append(element("tr", { title: recording.recording_id },
        element("td", { textContent: name }), element("td", { textContent: recording.quality }),
        element("td", { textContent: doing(recording) }),
        element("td", { className: "n", textContent: time(recording.duration_ms) }),
        element("td", { className: "n", textContent: size(recording.bytes) }),
        element("td", { textContent: recording.trouble ?? "" })));
    }
    table.append(body);
    $("recordings").replaceChildren(element("h2", { textContent: "Recordings under way" }),
      element("div", { className: "scroll" }, table));
  }

  function show(status) {
    const now = performance.now();
    const cpu = last ? (status.cpu_seconds - last.cpu) / ((now - last.at) / 1000) : null;
    last = { cpu: status.cpu_seconds, at: now };
    document.title = `${status.node} · wedlive`;
    $("node").textContent = status.region ? `${status.node}, ${status.region}` : status.node;
    $("ready").textContent = status.ready ? "ready" : "not ready";
    $("ready").className = `badge ${status.ready ? "good" : "bad"}`;
    $("remark").textContent = status.remark ?? "";
    $("remark").hidden = !status.remark;
    const publishers = status.streams.reduce((sum, stream) => sum + stream.clients.filter((client) => client.publishing).length, 0);
    const viewers = [...status.streams, ...(status.programs ?? [])].reduce((sum, each) => sum + each.viewers, 0);
    $("figures").replaceChildren(
      figure(status.streams.filter((stream) => stream.state === "live").length, "streams live"),
      figure(publishers, "publishers"), figure(viewers, "viewers"),
      figure(rate(status.traffic.bw_in), "received"), figure(rate(status.traffic.bw_out), "sent"),
      figure(status.rtmp_connections, "RTMP connections"), figure(status.http_connections, "HTTP connections"),
      figure(cpu === null ? "…" : `${(Math.max(0, cpu) * 100).toFixed(1)} %`, "of one core"),
      figure(size(status.memory_bytes), "memory"), figure(time(status.uptime_ms), "up"));
    $("streams").replaceChildren(...status.streams.map((stream) => card(stream, status)));
    recordings(status.recordings);
    $("empty").hidden = status.streams.length > 0;
    $("about").textContent = `wedlive ${status.version} · process ${status.pid} · ${status.cipher}`;
    document.body.dataset.state = "ready";
  }

  async function poll() {
    try {
      const response = await fetch("api/status", { cache: "no-store" });
      if (!response.ok) throw new Error(`status ${response.status}`);
      show(await response.json());
      $("trouble").hidden = true;
    } catch (error) {
      $("trouble").textContent = `The node doesn’t answer (${error.message}). What stands here is old.`;
      $("trouble").hidden = false;
    }
    setTimeout(poll, document.hidden ? 5 * interval : interval);
  }

  poll();
})();
