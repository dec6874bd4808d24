"""S3, as moto plays it: on one port, stopped and started again with what it has."""

import hashlib
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from .ports import free_port


class S3:
    """A moto server with a bucket that keeps every version of what is put into it."""

    def __init__(self) -> None:
        self.port = free_port()
        # moto keeps what it has for as long as the process lives.
        self.bucket = f"weddings-{self.port}"
        self.start()
        self.client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="eu-central-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        self.client.create_bucket(
            Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        self.client.put_bucket_versioning(
            Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"}
        )

    def start(self) -> None:
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self.server.start()

    def stop(self) -> None:
        self.server.stop()

    @property
    def settings(self) -> dict[str, str]:
        return {
            "KIND": "s3",
            "S3_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "S3_REGION": "eu-central-1",
            "S3_BUCKET": self.bucket,
            "S3_ACCESS_KEY": "a",
            "S3_SECRET_KEY": "b",
            "S3_PART_SIZE": "5m",
        }

    @property
    def environment(self) -> dict[str, str]:
        """The same for a node."""
        return {f"WEDLIVE_STORAGE_{name}": value for name, value in self.settings.items()}

    def sha256(self, key: str) -> str:
        return hashlib.sha256(
            self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        ).hexdigest()

    def puts(self) -> dict[str, int]:
        """How often each object was put, by its name."""
        found = self.client.list_object_versions(Bucket=self.bucket).get("Versions", [])
        counts: dict[str, int] = {}
        for version in found:
            counts[version["Key"]] = counts.get(version["Key"], 0) + 1
        return counts

    def uploads(self) -> int:
        """Multipart uploads that nobody has finished or given up."""
        return len(self.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", []))

    def download(self, key: str, path: Path) -> Path:
        self.client.download_file(self.bucket, key, str(path))
        return path
