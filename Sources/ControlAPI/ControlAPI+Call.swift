import Access
import EventLoop
import Foundation
import HTTPServer
import HTTPTypes

extension ControlAPI {
  /// One request, taken apart.
  struct Call {
    let method: HTTPRequest.Method
    /// The path's parts, decoded; none holds a slash or is empty.
    let parts: [String]
    let query: [(String, String)]
    let fields: HTTPFields
    let body: [UInt8]
    /// The client's address without its port.
    let client: String
    /// Where who asks is to send publishers and viewers.
    let addresses: PublicAddresses

    /// Takes a request apart.
    ///
    /// - Throws: 404 for a path that is no plain path.
    init(_ request: APIRequest, addresses: PublicAddresses) throws(APIError) {
      self.addresses = addresses
      method = request.request.method
      fields = request.request.headerFields
      body = request.body
      client = request.client.host
      let target = request.request.path ?? "/"
      let mark = target.firstIndex(of: "?") ?? target.endIndex
      query = FormCoding.decode(Array(target[mark...].dropFirst().utf8))
      parts = try Self.parts(of: target)
    }

    /// The parts of a request's path, decoded.
    ///
    /// - Throws: 404 for a path that is no plain path.
    static func parts(of target: String) throws(APIError) -> [String] {
      let mark = target.firstIndex(of: "?") ?? target.endIndex
      var parts: [String] = []
      for part in target[..<mark].dropFirst().split(
        separator: "/", omittingEmptySubsequences: false)
      {
        guard let text = String(part).removingPercentEncoding, !text.isEmpty, !text.contains("/")
        else { throw APIError(404, "not_found", "There is nothing at this address.") }
        parts.append(text)
      }
      return parts
    }

    /// The token of an `Authorization: Bearer` field.
    var bearer: String? {
      guard let value = fields[.authorization], value.lowercased().hasPrefix("bearer ") else {
        return nil
      }
      return value.dropFirst(7).trimmingCharacters(in: .whitespaces)
    }

    /// A viewer's token: in the query, the `Authorization` field or the cookie `token`.
    var viewerToken: String? {
      if let token = query.first(where: { $0.0 == "token" })?.1 { return token }
      if let bearer { return bearer }
      for cookie in (fields[.cookie] ?? "").split(separator: ";") {
        let pair = cookie.trimmingCharacters(in: .whitespaces)
        if pair.hasPrefix("token=") { return String(pair.dropFirst(6)) }
      }
      return nil
    }

    /// The body's fields, from JSON or a form.
    func values() throws(APIError) -> [String: String] {
      try ControlAPI.values(of: body, type: fields[.contentType])
    }
  }

  /// The fields of a call's body, from JSON or a form.
  ///
  /// - Parameters:
  ///   - body: of the request.
  ///   - type: its Content-Type.
  /// - Returns: strings, numbers and booleans as text; what is nested is passed over.
  /// - Throws: 400 for a body that is not what it says, 415 for another kind.
  package static func values(
    of body: [UInt8], type: String?
  ) throws(APIError) -> [String: String] {
    let type = (type ?? "").prefix { $0 != ";" }
      .trimmingCharacters(in: .whitespaces).lowercased()
    switch type {
    case "application/x-www-form-urlencoded":
      return Dictionary(FormCoding.decode(body)) { first, _ in first }
    case "application/json", "":
      if body.isEmpty { return [:] }
      guard let object = try? JSONDecoder().decode([String: Scalar?].self, from: Data(body))
      else { throw APIError(400, "bad_json", "The body is not a JSON object.") }
      return object.compactMapValues { $0?.text }
    default:
      throw APIError(
        415, "unsupported_type",
        "The body must be application/json or application/x-www-form-urlencoded.")
    }
  }

  /// A JSON value that is one thing, as text; nil for arrays and objects.
  private struct Scalar: Decodable {
    let text: String?

    init(from decoder: any Decoder) throws {
      let value = try? decoder.singleValueContainer()
      if let string = try? value?.decode(String.self) {
        text = string
      } else if let truth = try? value?.decode(Bool.self) {
        text = "\(truth)"
      } else if let whole = try? value?.decode(Int.self) {
        text = "\(whole)"
      } else if let number = try? value?.decode(Double.self) {
        text = "\(number)"
      } else {
        text = nil
      }
    }
  }
}
