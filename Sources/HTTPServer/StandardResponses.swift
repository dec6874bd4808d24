import HTTPSemantics

/// The answers of the server itself, made once per loop.
struct StandardResponses {
  let preconditionFailed: PreparedResponse
  let plainHTTP: PreparedResponse
  private let errors: [Int: PreparedResponse]
  private let other: PreparedResponse

  init() {
    let made = [
      (400, "bad_request", "The request can't be understood."),
      (408, "request_timeout", "The request did not come in time."),
      (412, "precondition_failed", "The precondition does not hold."),
      (413, "content_too_large", "The request's body is larger than allowed."),
      (414, "uri_too_long", "The address is longer than allowed."),
      (431, "fields_too_large", "The request's header fields are larger than allowed."),
      (501, "not_implemented", "The request asks for something this server does not do."),
      (503, "unavailable", "The server can't take this request now; try again."),
      (505, "version_not_supported", "Use HTTP/1.1 or HTTP/2."),
    ]
    var errors: [Int: PreparedResponse] = [:]
    for (status, code, message) in made {
      errors[status] = .error(status, code: code, message: message)
    }
    self.errors = errors
    other = .error(500, code: "internal", message: "The server failed.")
    plainHTTP = .error(
      400, code: "plain_http",
      message: "This port speaks HTTPS; ask again with https:// in the address.")
    preconditionFailed = errors[412] ?? other
  }

  func error(_ status: Int) -> PreparedResponse { errors[status] ?? other }
}
