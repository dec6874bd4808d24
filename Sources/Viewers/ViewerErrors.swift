import HTTPSemantics
package import HTTPServer

/// What viewers get who can't have what they ask for, made once.
package enum ViewerErrors {
  static let notFound = PreparedResponse.error(
    404, code: "not_found", message: "There is no such stream, or nobody publishes it now.")
  /// A segment that is not there yet, if ever: not to be cached for longer than it may take.
  static let noSegment = PreparedResponse.error(
    404, code: "no_segment", message: "This segment is no longer, or not yet, to be had.",
    cacheControl: "max-age=1")
  /// A segment whose number is behind the window: no other will ever have its name.
  static let pastSegment = PreparedResponse.error(
    404, code: "segment_gone", message: "This segment is older than what can still be had.",
    cacheControl: "max-age=600")
  static let otherPlan = PreparedResponse.error(
    403, code: "not_in_plan",
    message: "This quality is not in the plan; take one of the master playlist.")
  static let noRecording = PreparedResponse.error(
    404, code: "no_recording", message: "There is no such recording.")
  static let noFile = PreparedResponse.error(
    404, code: "no_file", message: "This recording has no such file.")
  static let badReload = PreparedResponse.error(
    400, code: "bad_reload",
    message: "_HLS_msn names a segment too far ahead, or is no number, or _HLS_part is alone.")
  static let busy = PreparedResponse.error(
    503, code: "busy", message: "Too many viewers wait for this playlist on this node; try again.",
    fields: [("retry-after", "2")])
  static let overloaded = PreparedResponse.error(
    503, code: "too_many_streams", message: "This node shows as many streams as it may; try again.",
    fields: [("retry-after", "2")])
  static let starting = PreparedResponse.error(
    503, code: "starting",
    message: "The stream is live, and its first segment in this quality is being made; try again.",
    fields: [("retry-after", "2")])
  /// No node can be asked that would know: players and CDNs that get a 404 take the stream for
  /// gone.
  package static let noOrigin = PreparedResponse.error(
    503, code: "no_origin",
    message: "No origin can be reached that would know of this stream; try again in a moment.",
    fields: [("retry-after", "2")])
  static let unanswered = PreparedResponse.error(
    503, code: "no_answer",
    message: "No origin has said yet whether there is such a stream; try again in a moment.",
    fields: [("retry-after", "2")])
  /// Its process has just begun, and it was live before that.
  static let returning = PreparedResponse.error(
    503, code: "returning",
    message:
      "This stream was live before the node was started again, and is expected back; try again.",
    fields: [("retry-after", "2")])
  /// What who asks for a quality that there isn't gets.
  ///
  /// - Parameter names: of the qualities that there are.
  /// - Returns: 404.
  static func noQuality(besides names: [String]) -> PreparedResponse {
    .error(
      404, code: "no_quality",
      message: names.isEmpty
        ? "This stream has no such quality; take one of the master playlist."
        : "This stream has no such quality; it has \(names.joined(separator: ", ")).")
  }
  static let wrongMethod = WrongMethod(allowed: .get, .head, .options)
  static let preflight = PreparedResponse.preflight()
}
