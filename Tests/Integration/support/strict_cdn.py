"""The purge APIs of CloudFront, Cloudflare and Fastly, and a cache that takes PURGE, played strictly.

`python3 -I strict_cdn.py` prints its ports and serves until its input ends. Credentials, signatures,
headers, bodies and limits are verified as the vendors' references have them; the signature without
any library, so that no mistake is shared. `/_/script` tells it how to fail, `/_/log` what it saw.
"""

import hashlib
import hmac
import json
import re
import sys
import threading
import time
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCESS_KEY, SECRET_KEY, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "s3cret"
NAMESPACE = "{http://cloudfront.amazonaws.com/doc/2020-05-31/}"

lock = threading.Lock()
log: list[dict] = []
script: list[dict] = []
references: dict[str, list[str]] = {}


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def digest(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def verify_signature(method: str, path: str, headers, body: bytes) -> None:
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/us-east-1/cloudfront/aws4_request,"
        r" ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
        headers.get("Authorization", ""),
    )
    if not match:
        raise Refusal(403, "IncompleteSignature")
    key, day, signed, signature = match.groups()
    names = signed.split(";")
    stamp = headers.get("X-Amz-Date", "")
    if names != sorted(names) or not {"host", "x-amz-date"} <= set(names):
        raise Refusal(403, "SignatureDoesNotMatch", "headers that must be signed are not")
    if "content-type" in {name.lower() for name in headers} and "content-type" not in names:
        raise Refusal(403, "SignatureDoesNotMatch", "content-type")
    when = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if key != ACCESS_KEY or stamp[:8] != day or abs(time.time() - when.timestamp()) > 300:
        raise Refusal(403, "SignatureDoesNotMatch", "credential or time")
    canonical = "\n".join(
        [method, path, ""]
        + [f"{name}:{' '.join(headers[name].split())}" for name in names]
        + ["", signed, hashlib.sha256(body).hexdigest()]
    )
    scope = f"{day}/us-east-1/cloudfront/aws4_request"
    text = "\n".join(
        ["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    secret = ("AWS4" + SECRET_KEY).encode()
    for word in [day, "us-east-1", "cloudfront", "aws4_request"]:
        secret = digest(secret, word)
    if not hmac.compare_digest(digest(secret, text).hex(), signature):
        raise Refusal(403, "SignatureDoesNotMatch", "the signature is another")


def cloudfront(method: str, path: str, headers, body: bytes) -> tuple[int, str, list[str]]:
    if method != "POST" or path != "/2020-05-31/distribution/EDFDVBD6EXAMPLE/invalidation":
        raise Refusal(404, "NoSuchDistribution")
    verify_signature(method, path, headers, body)
    root = ET.fromstring(body)
    if root.tag != NAMESPACE + "InvalidationBatch":
        raise Refusal(400, "MalformedXML")
    paths = [item.text or "" for item in root.findall(f"{NAMESPACE}Paths/{NAMESPACE}Items/*")]
    reference = root.findtext(f"{NAMESPACE}CallerReference")
    if root.findtext(f"{NAMESPACE}Paths/{NAMESPACE}Quantity") != str(len(paths)) or not paths:
        raise Refusal(400, "InconsistentQuantities")
    if len(paths) > 3000:
        raise Refusal(413, "BatchTooLarge")
    if sum(path.endswith("*") for path in paths) > 15:
        raise Refusal(400, "TooManyInvalidationsInProgress")
    if any(not path.startswith("/") or "*" in path[:-1] for path in paths):
        raise Refusal(400, "InvalidArgument", "a path")
    if len(set(paths)) != len(paths) or not reference:
        raise Refusal(400, "InvalidArgument", "the same twice, or no reference")
    if references.setdefault(reference, paths) != paths:
        raise Refusal(400, "InvalidArgument", "the reference was used for other paths")
    return 201, f"<?xml version='1.0'?><Invalidation><Id>I{reference}</Id></Invalidation>", paths


def cloudflare(method: str, path: str, headers, body: bytes) -> tuple[int, str, list[str]]:
    if headers.get("Authorization") != f"Bearer {TOKEN}":
        raise Refusal(403, "10000", "Authentication error")
    if method != "POST" or path != "/client/v4/zones/023e105f4ecef8ad9ca31a8372d0c353/purge_cache":
        raise Refusal(404, "7003", "no such zone")
    if headers.get("Content-Type") != "application/json":
        raise Refusal(415, "6000", "content type")
    [(kind, items)] = json.loads(body).items()
    if kind not in ("tags", "files", "prefixes") or not 1 <= len(set(items)) == len(items) <= 100:
        raise Refusal(400, "1094", "too many, or of no kind")
    if kind == "files" and not all(item.startswith("https://") for item in items):
        raise Refusal(400, "1012", "a file is an address")
    if kind == "prefixes" and any("://" in item or "/" not in item for item in items):
        raise Refusal(400, "1013", "a prefix has no scheme")
    return (
        200,
        json.dumps({"success": True, "errors": [], "result": {"id": "x"}}),
        [f"{kind} {item}" for item in items],
    )


def fastly(method: str, path: str, headers, body: bytes) -> tuple[int, str, list[str]]:
    if headers.get("Fastly-Key") != TOKEN or headers.get("Fastly-Soft-Purge", "1") != "1":
        raise Refusal(401, "Provided credentials are missing or invalid")
    mode = "soft" if "Fastly-Soft-Purge" in headers else "hard"
    if path.startswith("/purge/live.example/"):
        return 200, '{"status": "ok", "id": "1-2"}', [f"{mode} {path.removeprefix('/purge/')}"]
    if method != "POST" or path != "/service/SU1Z0isxPaozGVKXdv0eY/purge":
        raise Refusal(404, "Record not found")
    keys = json.loads(body)["surrogate_keys"]
    if headers.get("Content-Type") != "application/json" or not 1 <= len(keys) <= 256:
        raise Refusal(400, "Bad request", "keys")
    return 200, json.dumps(dict.fromkeys(keys, "1-2")), [f"{mode} {key}" for key in keys]


def generic(method: str, path: str, headers, body: bytes) -> tuple[int, str, list[str]]:
    if method not in ("PURGE", "BAN"):
        raise Refusal(405, "method")
    if headers.get("X-Purge-Token") != TOKEN:
        raise Refusal(403, "token")
    if path.startswith("/missing"):
        raise Refusal(404, "nothing there")
    soft = "soft " if headers.get("X-Soft") == "1" else ""
    key = f" {headers['X-Key']}" if "X-Key" in headers else ""
    return 200, "", [f"{soft}{method} {path}{key}"]


KINDS = {"cloudfront": cloudfront, "cloudflare": cloudflare, "fastly": fastly, "http": generic}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def answer(self, status: int, body: str, headers: dict | None = None) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/_/log":
            with lock:
                text = json.dumps(log)
            self.answer(200, text)
            return
        if self.path == "/_/script":
            with lock:
                script[:] = json.loads(body)
            self.answer(200, "")
            return
        # The vendor is chosen by a host of its own, as in the world.
        host = self.headers.get("Host", "")
        kind = next((name for name, port in ports.items() if host.endswith(f":{port}")), "http")
        entry = {"kind": kind, "status": 0, "done": [], "time": time.time()}
        with lock:
            fault = self.fault(body)
        if fault:
            entry["status"] = fault.get("status", 0)
            entry["fault"] = True
            with lock:
                log.append(entry)
            if "hang" in fault:
                time.sleep(fault["hang"])
                self.close_connection = True
                return
            self.answer(fault.get("status", 200), fault.get("body", ""), fault.get("headers"))
            return
        try:
            with lock:
                entry["status"], text, entry["done"] = KINDS[kind](
                    self.command, self.path, self.headers, body
                )
        except Refusal as refusal:
            entry["status"], entry["error"] = refusal.status, f"{refusal.code} {refusal.message}"
            text = {
                "cloudfront": f"<ErrorResponse><Error><Code>{refusal.code}</Code><Message>"
                f"{refusal.message}</Message></Error></ErrorResponse>",
                "cloudflare": json.dumps(
                    {
                        "success": False,
                        "errors": [{"code": 1, "message": f"{refusal.code} {refusal.message}"}],
                    }
                ),
                "fastly": json.dumps({"msg": refusal.code, "detail": refusal.message}),
            }.get(kind, refusal.code)
        except Exception as error:  # What it can't read is an answer, too.
            entry["status"], entry["error"], text = 400, repr(error), ""
        with lock:
            log.append(entry)
        self.answer(entry["status"], text)

    def fault(self, body: bytes) -> dict | None:
        """The first rule that fits; one with a count is used up."""
        for rule in script:
            if rule.get("match", "") in body.decode() + " " + self.path:
                if "count" in rule:
                    rule["count"] -= 1
                    if rule["count"] <= 0:
                        script.remove(rule)
                return rule
        return None

    do_GET = do_POST = do_PUT = do_PURGE = do_BAN = serve


servers = {kind: ThreadingHTTPServer(("127.0.0.1", 0), Handler) for kind in KINDS}
ports = {kind: server.server_address[1] for kind, server in servers.items()}
if __name__ == "__main__":
    for server in servers.values():
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps(ports), flush=True)
    sys.stdin.read()
