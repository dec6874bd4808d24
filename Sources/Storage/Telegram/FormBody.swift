import Bytes
import HTTPClient

/// A form with a file, as browsers send it: `multipart/form-data`.
///
/// Source: RFC 7578.
struct FormBody: Sendable {
  let contentType: String
  let body: OutgoingBody

  /// Makes a form.
  ///
  /// - Parameters:
  ///   - fields: texts by name.
  ///   - file: its field, its name, its type and its bytes.
  ///   - boundary: what separates the parts; random, so that no file has it.
  init(
    fields: [(name: String, value: String)],
    file: (field: String, name: String, contentType: String, bytes: OutgoingBody.Piece),
    boundary: String = "wedlive-" + RandomName.make(32)
  ) {
    contentType = "multipart/form-data; boundary=\(boundary)"
    var head = ""
    for field in fields {
      head += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(field.name)\"\r\n\r\n"
      head += "\(field.value)\r\n"
    }
    head += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(file.field)\""
    head += "; filename=\"\(Self.escaped(file.name))\"\r\nContent-Type: \(file.contentType)\r\n\r\n"
    body = OutgoingBody([
      .bytes(Array(head.utf8)), file.bytes, .bytes(Array("\r\n--\(boundary)--\r\n".utf8)),
    ])
  }

  /// A name within quotation marks.
  private static func escaped(_ name: String) -> String {
    name.replacing("\"", with: "%22").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
  }
}
