import CFFmpeg

/// Owns an `AVFilterGraph` that makes whole pictures of fields, one for each pair, by `bwdif`.
///
/// It begins with the first picture of fields and goes on to the end of the run, since each picture
/// is made with the help of its neighbours; whole pictures in between go through as they are.
@safe struct Deinterlacer: ~Copyable {
  /// What a graph is made for.
  private struct Shape: Equatable {
    var width: Int
    var height: Int
    var format: CInt
    var aspect: [Int]

    init(_ frame: borrowing MediaFrame) {
      width = frame.width
      height = frame.height
      format = frame.format
      let (horizontal, vertical) = frame.pixelAspect
      aspect = [horizontal, vertical]
    }
  }

  private var graph: UnsafeMutablePointer<AVFilterGraph>?
  private var source: UnsafeMutablePointer<AVFilterContext>?
  private var sink: UnsafeMutablePointer<AVFilterContext>?
  private var shape: Shape?

  init() {}

  deinit {
    var graph = unsafe graph
    unsafe avfilter_graph_free(&graph)
  }

  /// Whether a picture has to go this way.
  func needs(_ frame: borrowing MediaFrame) -> Bool { shape != nil || frame.isInterlaced }

  /// Whether a picture is of the kind of those before; else `finish` comes first.
  func goesOn(with frame: borrowing MediaFrame) -> Bool { shape == nil || shape == Shape(frame) }

  /// Takes a picture, whose `pts` is in 1/90000 s.
  ///
  /// - Returns: false for one that can't be filtered; it is then as it was.
  /// - Throws: `.libav` when memory is short.
  mutating func take(_ frame: inout MediaFrame) throws(TranscodeError) -> Bool {
    let shape = Shape(frame)
    if shape != self.shape { try open(shape) }
    guard let source = unsafe source else { return false }
    let result = unsafe av_buffersrc_add_frame(source, frame.pointer)
    if result == wl_av_error_memory() { try result.orThrow("de-interlacing a picture") }
    return result >= 0
  }

  /// Takes out the next whole picture.
  ///
  /// - Returns: false if there is none yet.
  /// - Throws: `.libav` when memory is short.
  mutating func next(_ frame: inout MediaFrame) throws(TranscodeError) -> Bool {
    guard let sink = unsafe sink else { return false }
    let result = unsafe av_buffersink_get_frame(sink, frame.pointer)
    if result == wl_av_error_memory() { try result.orThrow("de-interlacing a picture") }
    guard result >= 0 else { return false }
    if let pts = frame.pts {
      let base = unsafe av_buffersink_get_time_base(sink)
      frame.pts = av_rescale_q(pts, base, AVRational(num: 1, den: 90_000))
    }
    unsafe wl_frame_set_progressive(frame.pointer)
    return true
  }

  /// Lets the last pictures come out; a new run begins with the next picture of fields.
  mutating func finish() {
    if let source = unsafe source { _ = unsafe av_buffersrc_add_frame(source, nil) }
    shape = nil
  }

  private mutating func open(_ shape: Shape) throws(TranscodeError) {
    unsafe avfilter_graph_free(&graph)
    unsafe (source, sink) = (nil, nil)
    self.shape = shape
    unsafe graph = avfilter_graph_alloc()
    guard let graph = unsafe graph else {
      throw TranscodeError.libav(wl_av_error_memory(), "making a filter graph")
    }
    // One picture is a matter of milliseconds; threads would cost more than they bring.
    unsafe graph.pointee.nb_threads = 1
    let aspect = shape.aspect.allSatisfy { $0 > 0 } ? shape.aspect : [0, 1]
    let input = unsafe add(
      "buffer", to: graph,
      "video_size=\(shape.width)x\(shape.height):pix_fmt=\(shape.format):time_base=1/90000"
        + ":pixel_aspect=\(aspect[0])/\(aspect[1])")
    let filter = unsafe add("bwdif", to: graph, "mode=send_frame:parity=auto:deint=interlaced")
    let output = unsafe add("buffersink", to: graph, nil)
    guard let input = unsafe input, let filter = unsafe filter, let output = unsafe output,
      unsafe avfilter_link(input, 0, filter, 0) >= 0,
      unsafe avfilter_link(filter, 0, output, 0) >= 0,
      unsafe avfilter_graph_config(graph, nil) >= 0
    else { return }
    unsafe (source, sink) = (input, output)
  }

  private func add(
    _ name: String, to graph: UnsafeMutablePointer<AVFilterGraph>, _ arguments: String?
  ) -> UnsafeMutablePointer<AVFilterContext>? {
    var context: UnsafeMutablePointer<AVFilterContext>?
    let filter = unsafe avfilter_get_by_name(name)
    let result = unsafe avfilter_graph_create_filter(&context, filter, name, arguments, nil, graph)
    return result >= 0 ? unsafe context : nil
  }
}
