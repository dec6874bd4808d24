import COpenSSL
import Glibc

/// What an operator wants to know of a certificate that is served.
package struct TLSCertificateSummary: Equatable, Sendable {
  /// Where it was read from.
  package let file: String
  /// DNS names it stands for, as written in it.
  package let names: [String]
  /// Seconds from now to its end; negative when it has expired.
  package let secondsLeft: Int
  /// Whether its time has come.
  package let hasBegun: Bool

  init(file: String, _ certificate: OpaquePointer) {
    self.file = file
    var names: [String] = []
    var buffer = [CChar](repeating: 0, count: 256)
    while names.count < 1_000 {
      let length = unsafe wl_certificate_name(certificate, Int32(names.count), &buffer, 256)
      if length < 0 { break }
      names.append(
        String(decoding: buffer[..<Int(length)].map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    self.names = names
    secondsLeft = unsafe TLSCertificateSummary.seconds(to: X509_get0_notAfter(certificate)) ?? 0
    hasBegun =
      unsafe (TLSCertificateSummary.seconds(to: X509_get0_notBefore(certificate)) ?? 0) <= 0
  }

  /// One line for a person where something is wrong with its dates, or soon will be.
  package var warning: String? {
    let days = secondsLeft / 86_400
    if secondsLeft <= 0 {
      return "the certificate \(file) expired \(-days) days ago; clients will refuse it: renew it"
    }
    if !hasBegun {
      return "the certificate \(file) is not valid yet; is this machine's clock right?"
    }
    if days < 14 { return "the certificate \(file) expires in \(days) days: renew it" }
    return nil
  }

  private static func seconds(to time: UnsafePointer<ASN1_TIME>?) -> Int? {
    var days: Int32 = 0
    var seconds: Int32 = 0
    guard unsafe ASN1_TIME_diff(&days, &seconds, nil, time) == 1 else { return nil }
    return Int(days) * 86_400 + Int(seconds)
  }
}
