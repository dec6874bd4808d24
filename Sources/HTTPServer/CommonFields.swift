import Glibc
import HTTPSemantics

/// The fields that every response of a loop carries: Date, Server, and HSTS over TLS.
///
/// The date is written in place once a second, so a response costs nothing for it.
struct CommonFields {
  let secure: HeaderBlock
  let plain: HeaderBlock
  /// For responses that have a date, and the name of a server, of their own.
  let secureForwarded: HeaderBlock
  let plainForwarded: HeaderBlock
  private var second: UInt64 = .max

  init(_ configuration: ServerConfiguration) {
    var fields = [("date", String(repeating: "-", count: HTTPDate.textBytes))]
    if !configuration.serverName.isEmpty { fields.append(("server", configuration.serverName)) }
    plain = HeaderBlock(status: 0, fields: fields.map { (name: $0.0, value: $0.1) })
    plainForwarded = HeaderBlock(status: 0, fields: [])
    let seconds = configuration.strictTransportSecurity
    let strict = seconds > 0 ? [("strict-transport-security", "max-age=\(seconds)")] : []
    secureForwarded = HeaderBlock(status: 0, fields: strict.map { (name: $0.0, value: $0.1) })
    fields += strict
    secure = HeaderBlock(status: 0, fields: fields.map { (name: $0.0, value: $0.1) })
  }

  /// Brings the date up to date; `second` is any clock's, it only tells when to look again.
  mutating func refresh(second: UInt64) {
    guard second != self.second else { return }
    self.second = second
    let date = HTTPDate(seconds: Int64(time(nil))).bytes
    secure.overwrite(entry: 0, with: date)
    plain.overwrite(entry: 0, with: date)
  }
}
