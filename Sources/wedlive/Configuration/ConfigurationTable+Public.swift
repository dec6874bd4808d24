extension ConfigurationTable {
  static let publicSites: [ConfigurationKey] = [
    site(
      "public.https", \.public.https, 443,
      "The host in the addresses of playlists, recordings and the player page; `cdn.domain` goes before"
        + " it in those of playlists and recordings."),
    site("public.rtmp", \.public.rtmp, 1935, "The host that publishers are told, for RTMP."),
    site("public.rtmps", \.public.rtmps, 1936, "The same for RTMPS."),
  ]

  private static func site(
    _ path: String, _ target: ConfigurationKey.Path<String>, _ port: Int, _ summary: String
  ) -> ConfigurationKey {
    .text(
      path, target, takes: "a host name, with :port where it isn't \(port)", summary,
      where: { $0.isEmpty || isAuthority($0) })
  }
}
