extension ConfigurationTable {
  static let storage: [ConfigurationKey] =
    [
      .choice(
        "storage.kind", \.storage.kind,
        "Where finished recordings go: a folder, S3 or what speaks its language, a Telegram chat; off"
          + " leaves them in `recording.path`."),
      .text(
        "storage.path", \.storage.path, takes: "the path of a folder",
        "The folder, for `local`; made if missing, and `kept` in the data folder where none is named.",
        where: { _ in true }),
      .optional(
        "storage.public_url", \.storage.publicURL, takes: "an http:// or https:// address",
        example: "https://cdn.example.com/recordings",
        "Where somebody serves what is kept to people: addresses of recordings are made of it.",
        where: ConfigurationRules.isWebAddress),
      .duration(
        "storage.timeout", \.storage.timeout, in: .seconds(1)...(.seconds(600)),
        "How long the storage may take to answer what isn't large."),
      .duration(
        "storage.stall", \.storage.stall, in: .seconds(1)...(.seconds(600)),
        "An upload or a download in which hardly anything moves (1,000 bytes a second) for so long"
          + " is tried again."),
      .file(
        "storage.ca", \.storage.certificateAuthorities, example: "/etc/wedlive/storage-ca.pem",
        "PEM file of authorities to trust there in place of the system's."),
    ] + s3 + telegram

  private static let s3: [ConfigurationKey] = [
    .text(
      "storage.s3.endpoint", \.storage.s3.endpoint, takes: "an http:// or https:// address",
      "The service; without one it is Amazon's of the region.",
      where: { $0.isEmpty || ConfigurationRules.isWebAddress($0) }),
    .text("storage.s3.region", \.storage.s3.region, "The region that requests are signed for."),
    .text(
      "storage.s3.bucket", \.storage.s3.bucket, takes: "the name of a bucket",
      "The bucket, which must be there.", where: { _ in true }),
    .text(
      "storage.s3.prefix", \.storage.s3.prefix, takes: "a text, such as weddings/",
      "Stands before every name in the bucket.", where: { _ in true }),
    .text(
      "storage.s3.access_key", \.storage.s3.accessKey, "The key's name.", where: { _ in true }),
    .optional(
      "storage.s3.secret_key", \.storage.s3.secretKey, takes: "a text",
      example: "(the secret of the key)", "The key's secret.", isSecret: true),
    .file(
      "storage.s3.secret_key_file", \.storage.s3.secretKeyFile, example: "/run/secrets/s3",
      "A file that holds it, instead of `storage.s3.secret_key`."),
    .flag(
      "storage.s3.path_style", \.storage.s3.pathStyle,
      "Whether the bucket stands in the address's path, or in front of the host."),
    .size(
      "storage.s3.part_size", \.storage.s3.partSize, in: 5 << 20...(5 << 30),
      "How large the parts of an upload are: one is lost at most when it is interrupted."),
    .flag(
      "storage.s3.checksums", \.storage.s3.checksums,
      "Whether to use S3's own SHA-256 checksums; off for a service that refuses them."),
  ]

  private static let telegram: [ConfigurationKey] = [
    .text(
      "storage.telegram.api", \.storage.telegram.api, takes: "an http:// or https:// address",
      "The Bot API: Telegram's, or a Bot API server of your own.",
      where: ConfigurationRules.isWebAddress),
    .optional(
      "storage.telegram.bot_token", \.storage.telegram.botToken, takes: "a token of @BotFather's",
      example: "(the bot's token)", "The bot that posts.", isSecret: true),
    .file(
      "storage.telegram.bot_token_file", \.storage.telegram.botTokenFile,
      example: "/run/secrets/telegram",
      "A file that holds it, instead of `storage.telegram.bot_token`."),
    .text(
      "storage.telegram.chat_id", \.storage.telegram.chatID,
      takes: "a number such as -1001234567890, or @name",
      "The channel or group that it posts to, as an administrator.", where: { _ in true }),
    .size(
      "storage.telegram.part_size", \.storage.telegram.partSize, in: 1 << 20...(2_000 << 20),
      "How large the files are that a recording is cut into: Telegram gives back 20 MB at most, a"
        + " server of your own 2000."),
  ]
}
