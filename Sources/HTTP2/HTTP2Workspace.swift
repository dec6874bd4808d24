import CNGHTTP2
import Glibc
package import HTTPSemantics
import Telemetry

/// What all HTTP/2 sessions of one loop share: callbacks, options, one outgoing frame buffer, one
/// record's worth of output, and the pools of what requests and responses need.
///
/// Confined to its loop; a session keeps its workspace alive.
@safe package final class HTTP2Workspace {
  /// A TLS record's plaintext; DATA frames are cut so that header and payload fill it.
  static let recordBytes = 16_384
  /// A record, and the largest control frame that may come on top of it.
  static let stageBytes = 2 * recordBytes + 1024
  /// The most fields of a response, its status among them: 256 that an upstream may have sent, and
  /// those that this node adds.
  static let mostFields = 320

  package let limits: HTTP2Limits
  let callbacks: OpaquePointer
  let options: OpaquePointer
  let storage: UnsafeMutablePointer<Storage>

  /// What the C callbacks reach without retaining anything.
  @safe struct Storage {
    var limits: HTTP2Limits
    var requestLimits: RequestLimits
    let stage: UnsafeMutablePointer<UInt8>
    /// Bytes in `stage`; it is emptied before another session uses it.
    var staged = 0
    /// Whether a body's next piece waits for the stage to be emptied.
    var isPaused = false
    /// Whether the last call of `produce` may have left something.
    var mayHaveMore = false
    /// What follows the stage in the same record, where it stands: most of a large DATA frame.
    var tail = Tail()
    let fields: UnsafeMutablePointer<nghttp2_nv>
    var freeStreams: UnsafeMutablePointer<ResponseState>?
    var freeRequests: UnsafeMutablePointer<PooledRequest>?
    /// libnghttp2's outgoing frame buffer: 16 KiB a session would else hold while idle.
    let frameBuffer: UnsafeMutableRawPointer
    /// Set while a session is being made: its first request of that size is given `frameBuffer`,
    /// and its table of streams a page.
    var lendsFrameBuffer = false
    var tables = StreamTables()
    var memory: nghttp2_mem
  }

  /// Part of a body that is sealed from where it stands.
  struct Tail {
    var body: [UInt8] = []
    var start = 0
    var count = 0
  }

  /// A payload of this size or more is not copied to the stage.
  static let leastTailBytes = 2_048

  /// A response's fields go past the table where its body is as long as this, or of unknown length.
  static let leastLongBytes = 32_768
  /// The most bytes of fields that do.
  static let mostLiteralBytes = 4_096

  @safe struct PooledRequest: ~Copyable {
    var request: Request
    var next: UnsafeMutablePointer<PooledRequest>?
  }

  /// NGHTTP2_FRAMEBUF_CHUNKLEN of libnghttp2: a frame's payload, its header, and a pad byte.
  static let frameBufferBytes = 16_384 + 10

  /// Makes the workspace of one loop; nil when out of memory.
  package init?(limits: HTTP2Limits = HTTP2Limits(), requests: RequestLimits = RequestLimits()) {
    var callbacks: OpaquePointer?
    var options: OpaquePointer?
    guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0,
      unsafe nghttp2_option_new(&options) == 0,
      let callbacks = unsafe callbacks, let options = unsafe options
    else { return nil }
    unsafe HTTP2Callbacks.install(callbacks)
    // Without a table, 1.4 KiB less per connection that has answered, and a playlist costs 2.1 µs
    // instead of 1.6: every value is then Huffman-coded anew.
    unsafe nghttp2_option_set_max_deflate_dynamic_table_size(options, 1024)
    unsafe nghttp2_option_set_no_closed_streams(options, 1)
    unsafe nghttp2_option_set_max_outbound_ack(options, 64)
    unsafe nghttp2_option_set_max_settings(options, 32)
    unsafe nghttp2_option_set_max_continuations(options, limits.continuations)
    unsafe nghttp2_option_set_stream_reset_rate_limit(
      options, UInt64(limits.resetsReceived.burst), UInt64(limits.resetsReceived.perSecond))
    self.limits = limits
    unsafe self.callbacks = callbacks
    unsafe self.options = options
    unsafe storage = .allocate(capacity: 1)
    unsafe storage.initialize(
      to: Storage(
        limits: limits, requestLimits: requests, stage: .allocate(capacity: Self.stageBytes),
        fields: .allocate(capacity: Self.mostFields),
        frameBuffer: .allocate(byteCount: Self.frameBufferBytes, alignment: 16),
        memory: nghttp2_mem()))
    unsafe storage.pointee.memory = unsafe nghttp2_mem(
      mem_user_data: storage, malloc: { size, _ in unsafe malloc(size) },
      free: { pointer, context in
        let storage = unsafe HTTP2Workspace.storage(context)
        guard let pointer = unsafe pointer, unsafe pointer != storage.pointee.frameBuffer else {
          return
        }
        unsafe storage.pointee.tables.forget(pointer)
        unsafe free(pointer)
      },
      calloc: { count, size, context in
        let storage = unsafe HTTP2Workspace.storage(context)
        if unsafe storage.pointee.lendsFrameBuffer,
          let page = unsafe storage.pointee.tables.make(bytes: count * size)
        {
          return unsafe page
        }
        return unsafe calloc(count, size)
      },
      realloc: { pointer, size, context in
        unsafe HTTP2Workspace.reallocate(pointer, size, HTTP2Workspace.storage(context))
      })
  }

  deinit {
    unsafe nghttp2_session_callbacks_del(callbacks)
    unsafe nghttp2_option_del(options)
    while let state = unsafe storage.pointee.freeStreams {
      unsafe storage.pointee.freeStreams = state.pointee.next
      unsafe state.deinitialize(count: 1)
      unsafe state.deallocate()
    }
    while let pooled = unsafe storage.pointee.freeRequests {
      unsafe storage.pointee.freeRequests = pooled.pointee.next
      unsafe pooled.deinitialize(count: 1)
      unsafe pooled.deallocate()
    }
    unsafe storage.pointee.stage.deallocate()
    unsafe storage.pointee.fields.deallocate()
    unsafe storage.pointee.frameBuffer.deallocate()
    unsafe storage.deinitialize(count: 1)
    unsafe storage.deallocate()
  }

  private static func storage(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<Storage>
  {
    unsafe context.unsafelyUnwrapped.assumingMemoryBound(to: Storage.self)
  }

  /// libnghttp2 asks for its frame buffer through `realloc(NULL, n)` when a session is made.
  ///
  /// Only that one request is answered with the shared buffer. It is safe to share because the
  /// buffer's content is used up before `mem_send` is called for another session: DATA is never
  /// left half packed (see `readData`), and other frames are copied out at once.
  private static func reallocate(
    _ pointer: UnsafeMutableRawPointer?, _ size: Int, _ storage: UnsafeMutablePointer<Storage>
  ) -> UnsafeMutableRawPointer? {
    let shared = unsafe storage.pointee.frameBuffer
    if unsafe pointer == nil {
      if unsafe storage.pointee.lendsFrameBuffer, size == frameBufferBytes {
        unsafe storage.pointee.lendsFrameBuffer = false
        return unsafe shared
      }
      return unsafe malloc(size)
    }
    guard unsafe pointer == shared else {
      if let pointer = unsafe pointer { unsafe storage.pointee.tables.forget(pointer) }
      return unsafe realloc(pointer, size)
    }
    guard let copy = unsafe malloc(size) else { return nil }
    unsafe copy.copyMemory(from: shared, byteCount: min(size, frameBufferBytes))
    return unsafe copy
  }
}

/// The response of one stream, as the C callbacks see it; pooled.
@safe struct ResponseState {
  /// Keeps the bytes alive that libnghttp2 was given without a copy.
  var head: HeaderBlock?
  /// The fields that go with it, where both are still to be written behind the status.
  var common: HeaderBlock?
  var body: [UInt8] = []
  var position = 0
  var end = 0
  /// Whether the owner has more after `end`.
  var isStreaming = false
  /// Bytes that may be sent before the owner is asked for more of them.
  var allowance = Int.max
  /// Whether the owner wants to hear of the stream's end.
  var notifies = false
  /// Counts the bytes of its body as they are packed.
  var tally: Tally?
  var next: UnsafeMutablePointer<ResponseState>?
  var previous: UnsafeMutablePointer<ResponseState>?
}

extension HTTP2Workspace.Storage {
  mutating func takeStream() -> UnsafeMutablePointer<ResponseState> {
    if let state = unsafe freeStreams {
      unsafe freeStreams = state.pointee.next
      return unsafe state
    }
    let state = UnsafeMutablePointer<ResponseState>.allocate(capacity: 1)
    unsafe state.initialize(to: ResponseState())
    return unsafe state
  }

  mutating func give(_ state: UnsafeMutablePointer<ResponseState>) {
    unsafe state.pointee.head = nil
    unsafe state.pointee.common = nil
    unsafe state.pointee.body = []
    unsafe state.pointee.tally = nil
    unsafe state.pointee.next = freeStreams
    unsafe freeStreams = state
  }

  mutating func takeRequest() -> UnsafeMutablePointer<HTTP2Workspace.PooledRequest> {
    if let pooled = unsafe freeRequests {
      unsafe freeRequests = pooled.pointee.next
      unsafe pooled.pointee.request.reset()
      return unsafe pooled
    }
    let pooled = UnsafeMutablePointer<HTTP2Workspace.PooledRequest>.allocate(capacity: 1)
    unsafe pooled.initialize(
      to: HTTP2Workspace.PooledRequest(request: Request(limits: requestLimits), next: nil))
    return unsafe pooled
  }

  mutating func give(_ pooled: UnsafeMutablePointer<HTTP2Workspace.PooledRequest>) {
    unsafe pooled.pointee.next = freeRequests
    unsafe freeRequests = pooled
  }
}
