import Access
import HTTPClient
import HTTPTypes
import PythonSupport
import Testing

/// A backend in a child process: what a path answers is in its name, and `/last` tells what came.
final class ScriptedBackend: Sendable {
  /// One for the tests that do not ask for `/last`.
  static let shared = Result { try ScriptedBackend() }

  let authority: String
  private let server: PythonServer

  init() throws {
    server = try PythonServer(script: Self.script)
    authority = try server.authority
  }

  func address(_ path: String) throws -> BackendCallbacks.Address {
    try #require(BackendCallbacks.Address("http://\(authority)\(path)"))
  }

  /// Asks the backend something as a test.
  func exchange(_ path: String, _ body: [UInt8] = []) async throws -> String {
    let client = try HTTPClient()
    let (_, answer) = try await client.send(
      HTTPRequest(method: .post, scheme: "http", authority: authority, path: path), body: body,
      deadline: .seconds(20))
    return String(decoding: answer, as: UTF8.self)
  }

  private static let script = #"""
    import http.server, json, os, sys, time, threading
    last, files, hanging = {}, {}, []
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *a): pass
        def any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind, _, rest = self.path[1:].partition("/")
            status, headers, answer = 404, [], b""
            if kind == "last":
                status, answer = 200, json.dumps(last).encode()
            elif kind == "hanging": status, answer = 200, str(len(hanging)).encode()
            elif kind == "set": files[rest] = body; status = 200
            elif kind == "get": status, answer = (200, files[rest]) if rest in files else (404, b"")
            else:
                last.update(body=body.decode("latin-1"), path=self.path,
                    type=self.headers.get("Content-Type"))
                if kind == "hang": hanging.append(1); time.sleep(30)
                status = int(kind)
                if rest: headers = [("Location", rest)]
            self.send_response(status)
            for k, v in headers: self.send_header(k, v)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        do_GET = do_POST = any
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)
    """#
}
