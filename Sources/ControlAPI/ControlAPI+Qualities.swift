import Access
import HTTPServer
import HTTPTypes

extension ControlAPI {
  private struct Quality: Encodable {
    let name: String
    let width: Int
    let height: Int
    let frameRate: Double
    let bandwidth: Int
    let codecs: String
    let hlsPlaybackUrl: String
  }

  private struct Qualities: Encodable {
    let weddingId: String
    let locked: Bool
    let plan: String?
    let selected: String?
    let qualities: [Quality]
  }

  private struct Selection: Encodable {
    let weddingId: String
    let quality: String
  }

  /// A viewer of whom something is remembered.
  private struct Viewer {
    /// Whom the token was given to, or the token where it names nobody.
    let name: String
    let plan: String?

    /// Whether this viewer may have a quality.
    func mayHave(_ quality: StreamQuality) -> Bool {
      plan.map { quality.plans.contains($0) } ?? quality.isOpen
    }
  }

  /// `GET /api/streams/qualities/{wedding_id}`: what a viewer may choose from, the best first.
  ///
  /// Query: `camera_id`, without which it is the program. Asked with a watch token, or with none
  /// where watching is public.
  func qualities(_ call: Call) async throws(APIError) -> APIResponse {
    let wedding = try Self.name(call.parts.last, "wedding_id")
    let camera = try Self.name(
      call.query.first { $0.0 == "camera_id" }?.1 ?? Claims.programCamera, "camera_id")
    let viewer = try viewer(call, wedding, camera)
    let info = try await liveStream(wedding, camera)
    return .json(
      Qualities(
        weddingId: wedding, locked: parts.locks.contains(wedding), plan: viewer?.plan,
        selected: viewer.flatMap { parts.choices.quality(for: $0.name, of: wedding) },
        qualities: info.qualities.filter { viewer?.mayHave($0) ?? $0.isOpen }.map { quality in
          Quality(
            name: quality.name, width: quality.width, height: quality.height,
            frameRate: quality.frameRate, bandwidth: quality.bandwidth,
            codecs: quality.codecs.joined(separator: ","),
            hlsPlaybackUrl: call.addresses.playlist(
              wedding: wedding, camera: "\(camera)/\(quality.name)"))
        }))
  }

  /// `POST /api/streams/quality/select`: a viewer's master playlists list this quality first from
  /// now on.
  ///
  /// Body: `wedding_id`, `quality` (`auto` takes the choice back); optional `camera_id`. A watch
  /// token says who it is: its `sub`, or the token itself.
  func selectQuality(_ call: Call) async throws(APIError) -> APIResponse {
    let values = try call.values()
    let wedding = try Self.name(values["wedding_id"], "wedding_id")
    let camera = try Self.name(values["camera_id"] ?? Claims.programCamera, "camera_id")
    guard let viewer = try viewer(call, wedding, camera) else { throw APIError(Refusal(.missing)) }
    guard let wanted = values["quality"], !wanted.isEmpty else {
      throw APIError(400, "missing_field", "quality is missing.")
    }
    guard wanted != "auto" else {
      parts.choices.set(nil, for: viewer.name, of: wedding)
      return .json(Selection(weddingId: wedding, quality: "auto"))
    }
    let info = try await liveStream(wedding, camera)
    guard let quality = info.qualities.first(where: { $0.name == wanted }) else {
      throw missing(wanted, from: info)
    }
    guard viewer.mayHave(quality) else {
      throw APIError(403, "not_in_plan", "This quality is not in the viewer's plan.")
    }
    parts.choices.set(quality.name, for: viewer.name, of: wedding)
    return .json(Selection(weddingId: wedding, quality: quality.name))
  }

  /// Why a stream lacks a quality.
  private func missing(_ name: String, from info: StreamInfo) -> APIError {
    let names = info.qualities.map(\.name).joined(separator: ", ")
    guard let rung = parts.rungs.first(where: { $0.name == name }) else {
      return APIError(404, "no_quality", "There is no such quality; this stream has \(names).")
    }
    let source = info.source
    guard rung.isAbove(width: source.width, height: source.height) else {
      return APIError(
        404, "not_made",
        "This stream has no \(name) now: its plan lacks it, or it has just begun. It has \(names).")
    }
    return APIError(
      404, "above_source",
      "This stream has no \(name): its source is \(source.width)x\(source.height), and nothing is "
        + "made larger. It has \(names).")
  }

  private func liveStream(_ wedding: String, _ camera: String) async throws(APIError) -> StreamInfo
  {
    guard let info = await parts.directory.stream(wedding: wedding, camera: camera) else {
      throw APIError(404, "not_live", "Nobody publishes this wedding here now.")
    }
    return info
  }

  /// The plan that limits a viewer; nil for one that there is not, and where watching is public.
  private func limitingPlan(_ claims: Claims) -> String? {
    guard parts.watchNeedsToken, parts.plans.number(ofViewer: claims.plan) > 0 else { return nil }
    return claims.plan
  }

  /// Who asks; nil for somebody without a token where watching is public.
  private func viewer(
    _ call: Call, _ wedding: String, _ camera: String
  ) throws(APIError) -> Viewer? {
    guard let token = call.viewerToken else {
      if parts.watchNeedsToken { throw APIError(Refusal(.missing)) }
      return nil
    }
    do throws(Refusal) {
      let claims = try parts.verifier.verify(
        Array(token.utf8),
        for: .watch(
          wedding: wedding, camera: camera == Claims.programCamera ? nil : camera),
        now: parts.now())
      return Viewer(
        name: parts.watchNeedsToken ? claims.subject ?? token : token, plan: limitingPlan(claims))
    } catch {
      throw APIError(error)
    }
  }
}
