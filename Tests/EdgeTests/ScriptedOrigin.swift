import PythonSupport
import Testing

/// A real HTTP/1.1 origin in a child process that does what the address tells it to.
///
/// `/o/NAME?size=9&cc=max-age%3D9&status=200&etag=x&vary=a&delay=0.1&cut=5&lie=3&chunked=1&age=3`:
/// the body is `NAME` and how often it was asked for, over and over, `size` bytes of it. `?x=1`
/// after the first request changes nothing of what was set at `/set/NAME?…`. With `version=3` the
/// body is always `NAME 3`, and the tag `3`; with `ranges=1` one range is answered: from a byte
/// later with `shift=1`, with a byte more than is said with `long=1`, with a tag of its own each
/// time with `flap=1`, of a whole of 8 bytes by what it says with `total=8`; `body` is the body.
/// With `drip=1` it comes byte by byte. With `gate=1` half of the body is sent, or so many bytes,
/// with `hold=1` not even the head, until `/open/NAME` is asked for once; with `from=2` a gate is
/// there from the second request on. With `says=8` there are 8 bytes by its head, and it breaks
/// off. With `auth=1` who says nothing of who it is gets a 401. `/count/NAME` says how often
/// `/o/NAME` was asked for, and with which fields last.
final class ScriptedOrigin: Sendable {
  /// One for all tests: starting Python takes longer than any of them.
  static let shared = Result { try ScriptedOrigin() }

  let address: String
  private let server: PythonServer

  init() throws {
    server = try PythonServer(script: Self.script)
    address = try "http://\(server.authority)"
  }

  /// The body of `/o/NAME` when it is asked for the n-th time.
  static func body(_ name: String, _ number: Int, size: Int) -> [UInt8] {
    let piece = Array("\(name) \(number);".utf8)
    return Array((0..<size).lazy.map { piece[$0 % piece.count] })
  }

  private static let script = #"""
    import http.server, json, os, sys, time, threading
    from urllib.parse import urlsplit, parse_qsl
    rules, counts, asked, gates = {}, {}, {}, {}
    lock = threading.Lock()
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *a): pass
        def say(self, status, body, extra=()):
            self.send_response_only(status)
            for k, v in extra: self.send_header(k, v)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD": self.wfile.write(body)
        def any(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = urlsplit(self.path)
            kind, name = url.path[1:].split("/", 1)
            query = dict(parse_qsl(url.query))
            if kind == "set":
                rules[name] = query
                return self.say(200, b"")
            if kind == "count":
                return self.say(200, json.dumps(
                    {"count": counts.get(name, 0), "asked": asked.get(name, {})}).encode())
            if kind == "open":
                gates.setdefault(name, threading.Event()).set()
                return self.say(200, b"")
            rule = rules.get(name, query)
            with lock:
                number = counts[name] = counts.get(name, 0) + 1
                asked[name] = {k.lower(): v for k, v in self.headers.items()}
            if "delay" in rule: time.sleep(float(rule["delay"]))
            if rule.get("hold"): gates.setdefault(name, threading.Event()).wait(60)
            if rule.get("drop"):
                self.close_connection = True
                return self.connection.close()
            size = int(rule.get("size", 10))
            piece = f"{name} {rule.get('version', number)};".encode()
            body = (piece * (size // len(piece) + 1))[:size]
            if "body" in rule:
                body = rule["body"].encode()
                size = len(body)
            status = int(rule.get("status", 200))
            if rule.get("auth") and not (self.headers.get("Authorization") or self.headers.get("Cookie")):
                return self.say(401, body, [("Cache-Control", rule["cc"])] if "cc" in rule else [])
            tag = rule.get("etag", rule.get("version"))
            fields = []
            if rule.get("ranges") == "1": fields.append(("Accept-Ranges", "bytes"))
            if "modified" in rule: fields.append(("Last-Modified", rule["modified"]))
            if "cc" in rule: fields.append(("Cache-Control", rule["cc"]))
            if rule.get("flap"): fields.append(("ETag", f'"{tag}-{number}"'))
            elif rule.get("weak"): fields.append(("ETag", f'W/"{tag}"'))
            elif tag and "modified" not in rule: fields.append(("ETag", f'"{tag}"'))
            if "vary" in rule: fields.append(("Vary", rule["vary"]))
            if "date" in rule: fields.append(("Date", rule["date"]))
            if "age" in rule: fields.append(("Age", rule["age"]))
            if "tags" in rule: fields.append(("Surrogate-Key", rule["tags"]))
            if tag and self.headers.get("If-None-Match") == f'"{tag}"':
                self.send_response_only(304)
                for k, v in fields: self.send_header(k, v)
                return self.end_headers()
            if self.command == "HEAD":
                return self.say(status, body, fields)
            wanted = self.headers.get("Range") if rule.get("ranges") == "1" else None
            if wanted:
                first, last = wanted.removeprefix("bytes=").split("-")
                first = int(first) if first else size - int(last)
                last = min(int(last) if last and wanted[6] != "-" else size - 1, size - 1)
                if first >= size:
                    return self.say(416, b"", [("Content-Range", f"bytes */{size}")])
                shift = 1 if rule.get("shift") else 0
                body = body[first + shift:last + 1 + shift]
                status = 206
                fields.append(("Content-Range",
                    f"bytes {first + shift}-{first + shift + len(body) - 1}/{rule.get('total', size)}"))
                size = len(body)
                if rule.get("long"): body += b"!"
            self.send_response_only(status)
            for k, v in fields: self.send_header(k, v)
            cut = min(int(rule.get("cut", size)), size)
            if rule.get("long"): cut, size = len(body), len(body)
            if rule.get("chunked"): self.send_header("Transfer-Encoding", "chunked")
            else: self.send_header("Content-Length", rule.get("says", str(size)))
            self.end_headers()
            gate = int(rule.get("gate", 0)) if number >= int(rule.get("from", 1)) else 0
            half = min(cut, size // 2 if gate == 1 else gate) if gate else cut
            self.put(body[:half], rule)
            if gate:
                self.wfile.flush()
                gates.setdefault(name, threading.Event()).wait(60)
                self.put(body[half:cut], rule)
            if cut < size or "says" in rule:
                self.close_connection = True
                return self.connection.close()
            if rule.get("chunked"): self.wfile.write(b"0\r\n\r\n")
        def put(self, part, rule):
            if not part: return
            if rule.get("chunked"): part = b"%x\r\n%s\r\n" % (len(part), part)
            for place in range(0, len(part), 1) if rule.get("drip") else ():
                self.wfile.write(part[place:place + 1])
                time.sleep(0.005)
            if not rule.get("drip"): self.wfile.write(part)
        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = any
    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 512
        daemon_threads = True
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)
    """#
}
