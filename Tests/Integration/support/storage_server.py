# ruff: noqa: RET502, RET503  a handler ends with its answer
"""A storage on the loopback that behaves well or badly: S3 with its signatures checked, and a Bot API.

Run as a program it prints its port and ends with its standard input. `POST /_faults` takes a JSON list of
`{"match": "PUT .*partNumber=2", "times": 1, "do": "status", "status": 503, "body": "…"}`; `do` is `status`,
`cut` (the connection closes in the middle of the request), `lost` (the request is done, its answer is lost),
`lie` (another ETag or size is said), `rot` (a byte of what was stored is changed), `stall`. `GET /_log` gives
the requests so far, one a line; `GET /_objects` the sizes of what is stored.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import re
import sys
import threading
import time
import urllib.parse

ACCESS, SECRET, TOKEN, BUCKET = "AKIATEST", "s3cret/key+", "123:abc_DEF-4", "weddings"


class State:
    def __init__(self):
        self.lock = threading.Lock()
        self.objects, self.uploads, self.messages, self.files = {}, {}, {}, {}
        self.faults, self.log, self.number = [], [], 0

    def next(self):
        with self.lock:
            self.number += 1
            return self.number


STATE = State()


def signature(method, raw_path, query, headers, payload):
    """What AWS Signature Version 4 is for a request, worked out from its documentation."""
    auth = headers["authorization"]
    scope, names = re.search(r"Credential=[^/]+/([^,]+), ?SignedHeaders=([^,]+)", auth).groups()
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    canonical_query = "&".join(
        f"{k}={v}"
        for k, v in sorted(
            (urllib.parse.quote(k, safe="-_.~"), urllib.parse.quote(v, safe="-_.~"))
            for k, v in pairs
        )
    )
    path = urllib.parse.quote(urllib.parse.unquote(raw_path), safe="/-_.~")
    lines = "".join(f"{n}:{' '.join(headers[n].split())}\n" for n in names.split(";"))
    canonical = "\n".join([method, path, canonical_query, lines, names, payload])
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            headers["x-amz-date"],
            scope,
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = ("AWS4" + SECRET).encode()
    for word in [*scope.split("/"), text]:
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return key.hex()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def answer(self, status, body=b"", headers=(), length=None):
        if isinstance(body, str):
            body = body.encode()
        if self.lost:
            self.close_connection = True
            return
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("Content-Length", str(length if length is not None else len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code, message=""):
        self.answer(
            status,
            f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>",
        )

    def fault(self):
        line = f"{self.command} {self.path}"
        with STATE.lock:
            STATE.log.append(re.sub(r"bot[0-9]+:[A-Za-z0-9_-]+", "bot", line))
            for fault in STATE.faults:
                if fault["times"] > 0 and re.search(fault["match"], line):
                    fault["times"] -= 1
                    return fault
        return {"do": None}

    def any(self):
        self.lost = False
        size = int(self.headers.get("Content-Length") or 0)
        if self.path.startswith("/_"):
            return self.control(self.rfile.read(size))
        fault = self.fault()
        if fault["do"] == "cut":
            self.rfile.read(min(size, 100_000))
            self.close_connection = True
            return
        body = self.rfile.read(size)
        if fault["do"] == "stall":
            time.sleep(fault.get("seconds", 60))
        if fault["do"] == "status":
            return self.answer(fault["status"], fault.get("body", ""), fault.get("headers", ()))
        self.lost = fault["do"] == "lost"
        self.lies = fault["do"] == "lie"
        self.rots = fault["do"] == "rot"
        path, _, query = self.path.partition("?")
        if path.startswith("/bot") or path.startswith("/file/bot"):
            return self.bot(path, dict(urllib.parse.parse_qsl(query)), body)
        self.s3(path, query, body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = any

    def control(self, body):
        self.lost = False
        with STATE.lock:
            if self.path == "/_faults":
                STATE.faults = json.loads(body)
                return self.answer(200)
            if self.path == "/_log":
                text = "\n".join(STATE.log)
                STATE.log = []
                return self.answer(200, text)
            if self.path == "/_objects":
                sizes = {k: len(v[0]) for k, v in STATE.objects.items()}
                sizes.update(
                    {f"message {k}": len(STATE.files[v]) for k, v in STATE.messages.items()}
                )
                return self.answer(
                    200, json.dumps({"objects": sizes, "uploads": len(STATE.uploads)})
                )
            self.answer(404)

    # S3

    def s3(self, path, query, body):
        headers = {k.lower(): v for k, v in self.headers.items()}
        payload = headers.get("x-amz-content-sha256", "")
        if f"Credential={ACCESS}/" not in headers.get("authorization", ""):
            return self.error(403, "InvalidAccessKeyId", "no such key")
        said = headers["authorization"].rpartition("Signature=")[2]
        if said != signature(self.command, path, query, headers, payload):
            return self.error(403, "SignatureDoesNotMatch", "the signature is another one")
        if payload != hashlib.sha256(body).hexdigest():
            return self.error(400, "XAmzContentSHA256Mismatch", "the body is another one")
        checksum = headers.get("x-amz-checksum-sha256")
        if checksum and base64.b64decode(checksum) != hashlib.sha256(body).digest():
            return self.error(400, "BadDigest", "the body is another one")
        parts = urllib.parse.unquote(path).lstrip("/").split("/", 1)
        if parts[0] != BUCKET:
            return self.error(404, "NoSuchBucket", "there is none")
        key = parts[1] if len(parts) > 1 else ""
        q = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        getattr(self, "s3_" + self.command.lower())(key, q, body)

    def etag(self, body):
        return hashlib.md5(body + (b"!" if self.lies else b"")).hexdigest()

    def s3_put(self, key, q, body):
        if "uploadId" in q:
            upload = STATE.uploads.get(q["uploadId"])
            if upload is None or upload["key"] != key:
                return self.error(404, "NoSuchUpload")
            upload["parts"][int(q["partNumber"])] = body
        else:
            STATE.objects[key] = (
                body,
                self.etag(body),
                base64.b64encode(hashlib.sha256(body).digest()).decode(),
            )
        self.answer(200, headers=[("ETag", f'"{self.etag(body)}"')])

    def s3_post(self, key, q, body):
        if "uploads" in q:
            name = f"up+load/{STATE.next()}&"
            STATE.uploads[name] = {"key": key, "parts": {}}
            text = name.replace("&", "&amp;")
            return self.answer(
                200, f"<R><Bucket>b</Bucket><Key>{key}</Key><UploadId>{text}</UploadId></R>"
            )
        upload = STATE.uploads.get(q["uploadId"])
        if upload is None:
            return self.error(404, "NoSuchUpload")
        wanted = re.findall(
            r"<PartNumber>(\d+)</PartNumber><ETag>\"?([0-9a-f]+)\"?</ETag>", body.decode()
        )
        for number, etag in wanted:
            if hashlib.md5(upload["parts"].get(int(number), b"?")).hexdigest() != etag:
                return self.answer(
                    200, "<Error><Code>InvalidPart</Code><Message>no such part</Message></Error>"
                )
        pieces = [upload["parts"][int(number)] for number, _ in wanted]
        if self.rots:
            pieces[0] = b"?" + pieces[0][1:]
        digests = b"".join(hashlib.sha256(p).digest() for p in pieces)
        md5s = b"".join(hashlib.md5(p).digest() for p in pieces)
        checksum = base64.b64encode(hashlib.sha256(digests).digest()).decode() + f"-{len(pieces)}"
        etag = hashlib.md5(md5s).hexdigest() + f"-{len(pieces)}"
        STATE.objects[key] = (b"".join(pieces), etag, checksum)
        del STATE.uploads[q["uploadId"]]
        self.answer(200, f"<R><ETag>&quot;{etag}&quot;</ETag></R>")

    def s3_get(self, key, q, body):
        if "uploadId" in q:
            upload = STATE.uploads.get(q["uploadId"])
            if upload is None:
                return self.error(404, "NoSuchUpload")
            # Two a page, so that pages are turned.
            marker = int(q.get("part-number-marker", 0))
            numbers = sorted(n for n in upload["parts"] if n > marker)
            text = "".join(
                f"<Part><PartNumber>{n}</PartNumber><ETag>&quot;{self.etag(upload['parts'][n])}&quot;</ETag></Part>"
                for n in numbers[:2]
            )
            more = "true" if len(numbers) > 2 else "false"
            last = numbers[:2][-1] if numbers else marker
            return self.answer(
                200,
                f"<R><NextPartNumberMarker>{last}</NextPartNumberMarker><IsTruncated>{more}</IsTruncated>{text}</R>",
            )
        if "uploads" in q:
            text = "".join(
                f"<Upload><Key>{u['key']}</Key><UploadId>{n.replace('&', '&amp;')}</UploadId></Upload>"
                for n, u in STATE.uploads.items()
                if u["key"].startswith(q.get("prefix", ""))
            )
            return self.answer(200, f"<R>{text}</R>")
        self.give(STATE.objects.get(key))

    s3_head = s3_get

    def give(self, found):
        if found is None:
            return self.error(404, "NoSuchKey", "there is none")
        body, etag, checksum = found
        headers = [("ETag", f'"{etag}"')]
        if self.headers.get("x-amz-checksum-mode") and checksum and "nochecksum" not in self.path:
            headers.append(("x-amz-checksum-sha256", checksum))
        if "foreign" in self.path:
            headers[0] = ("ETag", '"0123-9"')
        span = re.match(r"bytes=(\d+)-(\d+)$", self.headers.get("Range", ""))
        if span:
            body = body[int(span[1]) : int(span[2]) + 1]
            return self.answer(206, body, headers)
        self.answer(
            200,
            body,
            headers,
            length=len(body) - (1 if self.lies else 0) if self.command == "HEAD" else None,
        )

    def s3_delete(self, key, q, body):
        if "uploadId" in q:
            if STATE.uploads.pop(q["uploadId"], None) is None:
                return self.error(404, "NoSuchUpload")
        else:
            STATE.objects.pop(key, None)
        self.answer(204)

    # The Bot API

    def bot(self, path, q, body):
        match = re.match(r"/(file/)?bot([^/]+)/(.+)$", path)
        if match[2] != TOKEN:
            return self.say(401, "Unauthorized")
        if match[1]:
            data = STATE.files.get(urllib.parse.unquote(match[3]))
            return self.give(None if data is None else (data, "x", None))
        getattr(self, match[3], lambda q, b: self.say(404, "Not Found"))(q, body)

    def say(self, status, words, **parameters):
        answer = {"ok": False, "error_code": status, "description": words}
        if parameters:
            answer["parameters"] = parameters
        self.answer(status, json.dumps(answer), [("Content-Type", "application/json")])

    def result(self, value):
        self.answer(
            200, json.dumps({"ok": True, "result": value}), [("Content-Type", "application/json")]
        )

    def upload(self, field, kind, body):
        boundary = self.headers["Content-Type"].partition("boundary=")[2].encode()
        parts = body.split(b"--" + boundary)
        fields, data = {}, None
        for part in parts[1:-1]:
            head, _, content = part[2:-2].partition(b"\r\n\r\n")
            name = re.search(rb'name="([^"]+)"', head)[1].decode()
            if name == field:
                data = content
                file_name = re.search(rb'filename="([^"]+)"', head)[1].decode()
            else:
                fields[name] = content.decode()
        if fields.get("chat_id") != "@weddings":
            return self.say(400, "Bad Request: chat not found")
        if data is None:
            return self.say(400, "Bad Request: there is no file in the request")
        number = STATE.next()
        name = f"documents/file {number}"
        STATE.files[name] = (b"?" + data[1:]) if self.rots else data
        STATE.messages[number] = name
        size = len(data) - (1 if self.lies else 0)
        file = {
            "file_id": f"id-{number}",
            "file_unique_id": "u",
            "file_name": file_name,
            "file_size": size,
        }
        self.result({"message_id": number, "chat": {"id": -100}, "date": 0, kind: file})

    def sendDocument(self, q, body):
        self.upload("document", "document", body)

    def sendVideo(self, q, body):
        # What has no sound is an animation to Telegram.
        self.upload("video", "animation" if len(body) % 2 else "video", body)

    def getFile(self, q, body):
        number = int(q["file_id"].partition("-")[2])
        name = STATE.messages.get(number)
        if name is None:
            return self.say(400, "Bad Request: invalid file_id")
        size = len(STATE.files[name])
        if size > 20 << 20:
            return self.say(400, "Bad Request: file is too big")
        self.result({"file_id": q["file_id"], "file_size": size, "file_path": name})

    def deleteMessage(self, q, body):
        if STATE.messages.pop(int(q["message_id"]), None) is None:
            return self.say(400, "Bad Request: message to delete not found")
        self.result(True)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()
