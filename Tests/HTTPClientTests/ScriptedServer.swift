import PythonSupport
import Testing

/// A real HTTP/1.1 server in a child process, whose paths behave well or badly.
final class ScriptedServer: Sendable {
  /// One for all tests: starting Python takes longer than any of them.
  static let shared = Result { try ScriptedServer() }

  let authority: String
  private let server: PythonServer

  init() throws {
    server = try PythonServer(script: Self.script)
    authority = try server.authority
  }

  private static let script = #"""
    import http.server, json, os, sys, time, threading
    connections = 0
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def setup(self):
            global connections
            connections += 1
            self.number = connections
            super().setup()
        def log_message(self, *a): pass
        def send(self, status, body, extra=()):
            self.send_response(status)
            for k, v in extra: self.send_header(k, v)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD": self.wfile.write(body)
        def any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.split("?")[0]
            if path == "/echo":
                self.send(200, json.dumps({"method": self.command, "path": self.path,
                    "headers": [[k.lower(), v] for k, v in self.headers.items()],
                    "body": body.decode("latin-1"), "connection": self.number}).encode(),
                    [("X-Two", "a"), ("X-Two", "b")])
            elif path == "/redirect": self.send(302, b"", [("Location", "/echo")])
            elif path == "/early":
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
                self.send(200, b"late")
            elif path == "/big": self.send(200, b"x" * 100000)
            elif path == "/endless":
                self.send_response(200); self.end_headers()
                try:
                    while True: self.wfile.write(b"y" * 10000)
                except OSError: pass
                self.close_connection = True
            elif path == "/hang": time.sleep(30)
            elif path == "/frozen":
                self.send_response(200); self.send_header("Content-Length", "3000000"); self.end_headers()
                self.wfile.write(b"f" * 2000000); time.sleep(30)
            elif path == "/drip":
                self.send_response(200); self.send_header("Content-Length", "400"); self.end_headers()
                try:
                    for _ in range(400): self.wfile.write(b"z"); time.sleep(0.05)
                except OSError: pass
            elif path == "/slow": time.sleep(0.3); self.send(200, b"slow")
            elif path == "/drop": self.close_connection = True; self.connection.close()
            elif path == "/short":
                self.send_response(200); self.send_header("Content-Length", "10"); self.end_headers()
                self.wfile.write(b"12345"); self.close_connection = True
            elif path.startswith("/cut/"):
                whole = b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 0\r\n\r\n"
                self.wfile.write(whole[:int(path[5:])]); self.close_connection = True
            elif path == "/interim":
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n")
                self.close_connection = True
            elif path == "/raw":
                self.wfile.write(bytes.fromhex(self.path.split("?")[1])); self.close_connection = True
            elif path == "/head":
                count, size = map(int, self.path.split("?")[1].split(","))
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n")
                try:
                    for n in range(count): self.wfile.write(b"X-%d: %s\r\n" % (n, b"v" * size))
                    self.wfile.write(b"\r\n")
                except OSError: self.close_connection = True
            elif path == "/garbage":
                self.wfile.write(b"\x00\x01garbage\r\n\r\n"); self.close_connection = True
            else: self.send(404, b"no")
        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = any
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)
    """#
}
