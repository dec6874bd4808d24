"use strict";
// A second player in the background, which takes the place of the first where that one has failed or
// is about to. Chromium's own player leaves out a segment whose connection died, plays on with a hole in
// what is buffered, fails when it comes to it, and can't be sought over it: nothing of it is seekable.
//
// options: video() is the player that is shown; address() is what it plays; mayReplace() says whether
// another may take its place now; adopt(next) makes another the one that is shown; failed() is called
// where the first has failed and no other has come.
function wedliveSpare(options) {
  const patience = 8000;
  // What fails again and again costs a second download of the same twice a minute at most.
  const rest = 30000;
  const smallestHole = 0.25;
  let first = null;
  let spare = null;
  let ending = null;
  let timer = 0;
  let begunAt = -Infinity;
  let holeSeen = NaN;
  let isPossible = true;

  // Where what is buffered around the playing position ends, if more comes behind a hole; else NaN.
  function holeAhead({ buffered, currentTime }) {
    for (let each = 0; each + 1 < buffered.length; each += 1) {
      const end = buffered.end(each);
      const isHere = buffered.start(each) <= currentTime + 0.1 && currentTime <= end + 0.1;
      if (isHere) return buffered.start(each + 1) - end > smallestHole ? end : NaN;
    }
    return NaN;
  }

  // Looks for a hole; one that is there at two looks isn't filled any more.
  function look() {
    const before = holeSeen;
    holeSeen = holeAhead(options.video());
    if (Math.abs(holeSeen - before) < 0.05) begin();
  }

  // Where the browser shows the first in a place that it gives to no other without a gesture.
  function isElsewhere(video) {
    return document.fullscreenElement === video || video.webkitDisplayingFullscreen ||
      video.webkitPresentationMode === "picture-in-picture" ||
      video.webkitCurrentPlaybackTargetIsWireless || video.remote?.state === "connected";
  }

  // Has a second player come; true where one comes already.
  function begin() {
    if (spare) return true;
    const now = performance.now();
    const video = options.video();
    if (!isPossible || now - begunAt < rest || isElsewhere(video) || !options.mayReplace()) return false;
    begunAt = now;
    first = video;
    spare = make(first);
    ending = new AbortController();
    const { signal } = ending;
    const mine = spare;
    let from = NaN;
    spare.addEventListener("error", giveUp, { signal });
    spare.addEventListener("playing", () => {
      from = mine.currentTime;
      mine.requestVideoFrameCallback?.(() => { if (!signal.aborted) takeOver(); });
    }, { signal });
    spare.addEventListener("timeupdate", () => { if (mine.currentTime > from + 0.1) takeOver(); }, { signal });
    first.addEventListener("pause", pausedFirst, { signal });
    timer = setTimeout(giveUp, patience);
    first.after(spare);
    spare.src = options.address();
    spare.play().catch(() => { if (!signal.aborted) giveUp(); });
    return true;
  }

  function make(video) {
    const made = document.createElement("video");
    for (const { name, value } of video.attributes) {
      if (!["id", "src", "controls"].includes(name)) made.setAttribute(name, value);
    }
    made.classList.add("spare");
    made.setAttribute("aria-hidden", "true");
    made.muted = true;
    return made;
  }

  // Some browsers let one video play at a time: there the first goes on, and never has a spare again.
  function pausedFirst() {
    const video = first;
    if (video.error) return;
    const isBrowser = performance.now() - begunAt < 1000 && !video.ended;
    cancel();
    if (!isBrowser) return;
    isPossible = false;
    video.play().catch(() => {});
  }

  async function takeOver() {
    const [next, last] = [spare, first];
    ending.abort();
    if (isElsewhere(last)) return giveUp();
    if (document.pictureInPictureElement === last) {
      try { await next.requestPictureInPicture(); } catch { if (next === spare) giveUp(); return; }
      if (next !== spare) return;
    }
    clearTimeout(timer);
    first = spare = null;
    holeSeen = NaN;
    const hadFocus = document.activeElement === last;
    last.removeAttribute("id");
    next.id = "video";
    next.controls = last.controls;
    next.removeAttribute("aria-hidden");
    next.classList.remove("spare");
    next.volume = last.volume;
    next.muted = last.muted;
    options.adopt(next);
    last.remove();
    release(last);
    if (hadFocus) next.focus();
    // Without sound, where the browser wants a gesture for it once more.
    next.play().catch(() => { next.muted = true; next.play().catch(() => {}); });
  }

  function giveUp() {
    const hasFailed = Boolean(first?.error);
    cancel();
    if (hasFailed) options.failed();
  }

  function cancel() {
    holeSeen = NaN;
    if (!spare) return;
    clearTimeout(timer);
    ending.abort();
    spare.remove();
    release(spare);
    first = spare = null;
  }

  function release(video) {
    video.removeAttribute("src");
    video.load();
  }

  return { look, begin, cancel };
}
