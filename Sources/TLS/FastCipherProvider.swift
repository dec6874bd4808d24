import COpenSSL
import Glibc

/// An OpenSSL provider that offers AES-128-GCM and AES-256-GCM, and nothing else.
///
/// libssl stays in charge of keys, sequence numbers and records; only the cipher is another. The
/// tables are made once and live as long as the process.
enum FastCipherProvider {
  static let name = "wedlive"

  /// The library's calls and what they need; filled in before the provider is loaded.
  // Both are written by the one initialiser that loads the provider, before any thread has a
  // cipher.
  nonisolated(unsafe) static let library = UnsafeMutablePointer<wl_gcm_library>.allocate(
    capacity: 1)
  nonisolated(unsafe) static var layout = GCMContext.Layout(expandedBytes: 0, stateBytes: 0)

  // Only read once it is made, as are the tables below.
  nonisolated(unsafe) static let algorithms: UnsafePointer<OSSL_ALGORITHM> = {
    let table = UnsafeMutablePointer<OSSL_ALGORITHM>.allocate(capacity: 3)
    // The names have to include those that libssl looks a NID up by.
    unsafe table.initialize(
      to: OSSL_ALGORITHM(
        algorithm_names: strdup("AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6"),
        property_definition: strdup("provider=wedlive"),
        implementation: cipher(new: new128, parameters: parameters128),
        algorithm_description: strdup("AES-128-GCM of libipsec-mb")))
    unsafe (table + 1).initialize(
      to: OSSL_ALGORITHM(
        algorithm_names: strdup("AES-256-GCM:id-aes256-GCM:2.16.840.1.101.3.4.1.46"),
        property_definition: strdup("provider=wedlive"),
        implementation: cipher(new: new256, parameters: parameters256),
        algorithm_description: strdup("AES-256-GCM of libipsec-mb")))
    unsafe (table + 2).initialize(to: OSSL_ALGORITHM())
    return unsafe UnsafePointer(table)
  }()

  /// The provider's own calls: what it is, and what it offers.
  // Only read once it is made.
  nonisolated(unsafe) static let calls: UnsafePointer<OSSL_DISPATCH> = unsafe table([
    (OSSL_FUNC_PROVIDER_QUERY_OPERATION, bits(queryOperation)),
    (OSSL_FUNC_PROVIDER_TEARDOWN, bits(freeNothing)),
  ])

  private static func cipher(new: @escaping NewContext, parameters: @escaping GetParameters)
    -> UnsafePointer<OSSL_DISPATCH>
  {
    unsafe table([
      (OSSL_FUNC_CIPHER_NEWCTX, bits(new)),
      (OSSL_FUNC_CIPHER_FREECTX, bits(freeContext)),
      (OSSL_FUNC_CIPHER_DUPCTX, bits(copyContext)),
      (OSSL_FUNC_CIPHER_ENCRYPT_INIT, bits(encryptInit)),
      (OSSL_FUNC_CIPHER_DECRYPT_INIT, bits(decryptInit)),
      (OSSL_FUNC_CIPHER_UPDATE, bits(update)),
      (OSSL_FUNC_CIPHER_FINAL, bits(finish)),
      (OSSL_FUNC_CIPHER_CIPHER, bits(oneCall)),
      (OSSL_FUNC_CIPHER_GET_PARAMS, bits(parameters)),
      (OSSL_FUNC_CIPHER_GET_CTX_PARAMS, bits(getContextParameters)),
      (OSSL_FUNC_CIPHER_SET_CTX_PARAMS, bits(setContextParameters)),
      (OSSL_FUNC_CIPHER_GETTABLE_PARAMS, bits(gettable)),
      (OSSL_FUNC_CIPHER_GETTABLE_CTX_PARAMS, bits(gettableContext)),
      (OSSL_FUNC_CIPHER_SETTABLE_CTX_PARAMS, bits(settableContext)),
    ])
  }

  private static func table(
    _ entries: [(Int32, @convention(c) () -> Void)]
  ) -> UnsafePointer<OSSL_DISPATCH> {
    let table = UnsafeMutablePointer<OSSL_DISPATCH>.allocate(capacity: entries.count + 1)
    for (index, entry) in entries.enumerated() {
      unsafe (table + index).initialize(
        to: OSSL_DISPATCH(function_id: entry.0, function: entry.1))
    }
    unsafe (table + entries.count).initialize(to: OSSL_DISPATCH())
    return unsafe UnsafePointer(table)
  }

  /// A call as OpenSSL's tables hold it; OpenSSL casts it back by its number.
  private static func bits<Call>(_ call: Call) -> @convention(c) () -> Void {
    unsafe unsafeBitCast(call, to: (@convention(c) () -> Void).self)
  }
}

typealias Parameters = UnsafeMutablePointer<OSSL_PARAM>
typealias NewContext = @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
typealias GetParameters = @convention(c) (Parameters?) -> Int32
private typealias Bytes = UnsafeMutablePointer<UInt8>
private typealias Context = UnsafeMutablePointer<GCMContext>

/// `OSSL_provider_init_fn`: called by OpenSSL when the provider is loaded.
func wedliveProviderInit(
  _ handle: OpaquePointer?, _ core: UnsafePointer<OSSL_DISPATCH>?,
  _ out: UnsafeMutablePointer<UnsafePointer<OSSL_DISPATCH>?>?,
  _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> Int32 {
  // Contexts need nothing from the provider, but OpenSSL takes a null pointer for a failure.
  unsafe context?.pointee = UnsafeMutableRawPointer(FastCipherProvider.library)
  unsafe out?.pointee = FastCipherProvider.calls
  return 1
}

private let queryOperation:
  @convention(c) (UnsafeMutableRawPointer?, Int32, UnsafeMutablePointer<Int32>?) ->
    UnsafePointer<OSSL_ALGORITHM>? = { _, operation, noCache in
      unsafe noCache?.pointee = 0
      return unsafe operation == OSSL_OP_CIPHER ? FastCipherProvider.algorithms : nil
    }
private let freeNothing: @convention(c) (UnsafeMutableRawPointer?) -> Void = { _ in }

// MARK: - Contexts

private let new128: NewContext = { _ in
  unsafe UnsafeMutableRawPointer(
    GCMContext.make(
      UnsafePointer(FastCipherProvider.library).pointer(to: \.gcm128).unsafelyUnwrapped,
      FastCipherProvider.layout, keyCount: 16))
}
private let new256: NewContext = { _ in
  unsafe UnsafeMutableRawPointer(
    GCMContext.make(
      UnsafePointer(FastCipherProvider.library).pointer(to: \.gcm256).unsafelyUnwrapped,
      FastCipherProvider.layout, keyCount: 32))
}

@inline(__always) private func context(_ raw: UnsafeMutableRawPointer?) -> Context? {
  unsafe raw?.assumingMemoryBound(to: GCMContext.self)
}
private let freeContext: @convention(c) (UnsafeMutableRawPointer?) -> Void = { raw in
  if let it = unsafe context(raw) { unsafe GCMContext.free(it) }
}
private let copyContext: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = {
  raw in
  guard let it = unsafe context(raw) else { return nil }
  return unsafe UnsafeMutableRawPointer(GCMContext.copy(it))
}

// MARK: - The operation

private typealias Initialise =
  @convention(c) (
    UnsafeMutableRawPointer?, UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int,
    UnsafePointer<OSSL_PARAM>?
  ) -> Int32

private let encryptInit: Initialise = { raw, key, keyCount, iv, ivCount, parameters in
  guard let it = unsafe context(raw),
    unsafe it.pointee.initialise(
      encrypts: true, key: key, keyCount: keyCount, iv: iv, ivCount: ivCount)
  else { return 0 }
  return unsafe parameters == nil ? 1 : setContextParameters(raw, parameters)
}
private let decryptInit: Initialise = { raw, key, keyCount, iv, ivCount, parameters in
  guard let it = unsafe context(raw),
    unsafe it.pointee.initialise(
      encrypts: false, key: key, keyCount: keyCount, iv: iv, ivCount: ivCount)
  else { return 0 }
  return unsafe parameters == nil ? 1 : setContextParameters(raw, parameters)
}

private typealias Update =
  @convention(c) (
    UnsafeMutableRawPointer?, Bytes?, UnsafeMutablePointer<Int>?, Int, UnsafePointer<UInt8>?, Int
  ) -> Int32

private let update: Update = { raw, out, outCount, outSize, bytes, count in
  guard let it = unsafe context(raw), let outCount = unsafe outCount else { return 0 }
  unsafe outCount.pointee = 0
  guard count > 0, let bytes = unsafe bytes else { return count == 0 ? 1 : 0 }
  guard let out = unsafe out else {
    guard unsafe it.pointee.update(aad: bytes, count) else { return 0 }
    unsafe outCount.pointee = count
    return 1
  }
  guard outSize >= count else { return 0 }
  if unsafe it.pointee.isTLS12Record {
    // TLS 1.2 records are sealed and opened where they stand.
    guard unsafe UnsafePointer(out) == bytes, let made = unsafe it.pointee.record(out, count)
    else { return 0 }
    unsafe outCount.pointee = made
    return 1
  }
  if unsafe it.pointee.encrypts, let sealed = unsafe DirectSealing.seal(it, bytes, count) {
    unsafe outCount.pointee = count
    return sealed ? 1 : 0
  }
  guard unsafe it.pointee.update(out, bytes, count) else { return 0 }
  unsafe outCount.pointee = count
  return 1
}

private let finish:
  @convention(c) (UnsafeMutableRawPointer?, Bytes?, UnsafeMutablePointer<Int>?, Int) -> Int32 = {
    raw, _, outCount, _ in
    guard let it = unsafe context(raw) else { return 0 }
    unsafe outCount?.pointee = 0
    return unsafe it.pointee.finish() ? 1 : 0
  }

/// `EVP_Cipher`: additional data without output, data with it, the end without input.
private let oneCall: Update = { raw, out, outCount, outSize, bytes, count in
  guard unsafe bytes == nil else { return unsafe update(raw, out, outCount, outSize, bytes, count) }
  return unsafe finish(raw, out, outCount, outSize)
}

// MARK: - Parameters

private func isNamed(_ parameter: OSSL_PARAM, _ name: StaticString) -> Bool {
  unsafe strcmp(
    parameter.key, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)) == 0
}

/// Answers what a cipher is; the same numbers that OpenSSL's own AES-GCM gives.
private func fixedParameters(_ parameters: Parameters?, keyCount: Int) -> Int32 {
  guard var parameter = unsafe parameters else { return 1 }
  while unsafe parameter.pointee.key != nil {
    let one = unsafe parameter.pointee
    var fine: Int32 = 1
    if unsafe isNamed(one, "mode") {
      fine = unsafe OSSL_PARAM_set_uint(parameter, UInt32(EVP_CIPH_GCM_MODE))
    } else if unsafe isNamed(one, "keylen") {
      fine = unsafe OSSL_PARAM_set_size_t(parameter, keyCount)
    } else if unsafe isNamed(one, "ivlen") {
      fine = unsafe OSSL_PARAM_set_size_t(parameter, 12)
    } else if unsafe isNamed(one, "blocksize") {
      fine = unsafe OSSL_PARAM_set_size_t(parameter, 1)
    } else if unsafe isNamed(one, "aead") || isNamed(one, "custom-iv") {
      fine = unsafe OSSL_PARAM_set_int(parameter, 1)
    } else if unsafe isNamed(one, "cts") || isNamed(one, "tls-multi")
      || isNamed(one, "has-randkey")
    {
      fine = unsafe OSSL_PARAM_set_int(parameter, 0)
    }
    guard fine == 1 else { return 0 }
    unsafe parameter += 1
  }
  return 1
}
private let parameters128: GetParameters = { unsafe fixedParameters($0, keyCount: 16) }
private let parameters256: GetParameters = { unsafe fixedParameters($0, keyCount: 32) }

private let getContextParameters: @convention(c) (UnsafeMutableRawPointer?, Parameters?) -> Int32 =
  { raw, parameters in
    guard let it = unsafe context(raw), var parameter = unsafe parameters else { return 1 }
    while unsafe parameter.pointee.key != nil {
      let one = unsafe parameter.pointee
      var fine: Int32 = 1
      if unsafe isNamed(one, "tag") {
        guard unsafe it.pointee.encrypts, let made = unsafe it.pointee.tagCount,
          unsafe (1...made).contains(one.data_size)
        else { return 0 }
        fine = unsafe OSSL_PARAM_set_octet_string(parameter, it.pointee.tag, one.data_size)
      } else if unsafe isNamed(one, "taglen") {
        fine = unsafe OSSL_PARAM_set_size_t(parameter, it.pointee.tagCount ?? 16)
      } else if unsafe isNamed(one, "keylen") {
        fine = unsafe OSSL_PARAM_set_size_t(parameter, it.pointee.keyCount)
      } else if unsafe isNamed(one, "ivlen") {
        fine = unsafe OSSL_PARAM_set_size_t(parameter, 12)
      } else if unsafe isNamed(one, "tlsaadpad") {
        fine = unsafe OSSL_PARAM_set_size_t(parameter, GCMContext.TLS12.tagCount)
      } else if unsafe isNamed(one, "iv") || isNamed(one, "updated-iv") {
        guard unsafe it.pointee.ivState != .none else { return 0 }
        fine = unsafe OSSL_PARAM_set_octet_string(parameter, it.pointee.iv, 12)
      }
      guard fine == 1 else { return 0 }
      unsafe parameter += 1
    }
    return 1
  }

private let setContextParameters:
  @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<OSSL_PARAM>?) -> Int32 = {
    raw, parameters in
    guard let it = unsafe context(raw), var parameter = unsafe parameters else { return 1 }
    while unsafe parameter.pointee.key != nil {
      let one = unsafe parameter.pointee
      let bytes = unsafe one.data?.assumingMemoryBound(to: UInt8.self)
      let count = unsafe one.data_size
      if unsafe isNamed(one, "tag") {
        guard (1...16).contains(count), unsafe one.data_type == UInt32(OSSL_PARAM_OCTET_STRING)
        else { return 0 }
        if let bytes = unsafe bytes {
          guard unsafe !it.pointee.encrypts else { return 0 }
          unsafe memcpy(it.pointee.tag, bytes, count)
        }
        unsafe it.pointee.tagCount = count
      } else if unsafe isNamed(one, "ivlen") {
        var ivCount = 0
        guard unsafe OSSL_PARAM_get_size_t(parameter, &ivCount) == 1, ivCount == 12 else {
          return 0
        }
      } else if unsafe isNamed(one, "keylen") {
        var keyCount = 0
        guard unsafe OSSL_PARAM_get_size_t(parameter, &keyCount) == 1,
          unsafe keyCount == it.pointee.keyCount
        else { return 0 }
      } else if unsafe isNamed(one, "tlsaad") {
        guard let bytes = unsafe bytes, unsafe it.pointee.setTLS12AAD(bytes, count) != nil else {
          return 0
        }
      } else if unsafe isNamed(one, "tlsivfixed") {
        guard let bytes = unsafe bytes, unsafe it.pointee.setFixedIV(bytes, count) else {
          return 0
        }
      }
      unsafe parameter += 1
    }
    return 1
  }

// MARK: - What may be asked and set

// These three are only read once they are made, which Swift does once for all threads.
nonisolated(unsafe) private let described: UnsafePointer<OSSL_PARAM> = unsafe describe([
  ("mode", OSSL_PARAM_UNSIGNED_INTEGER), ("keylen", OSSL_PARAM_UNSIGNED_INTEGER),
  ("ivlen", OSSL_PARAM_UNSIGNED_INTEGER), ("blocksize", OSSL_PARAM_UNSIGNED_INTEGER),
  ("aead", OSSL_PARAM_INTEGER), ("custom-iv", OSSL_PARAM_INTEGER), ("cts", OSSL_PARAM_INTEGER),
  ("tls-multi", OSSL_PARAM_INTEGER), ("has-randkey", OSSL_PARAM_INTEGER),
])
nonisolated(unsafe) private let describedGettable: UnsafePointer<OSSL_PARAM> = unsafe describe([
  ("keylen", OSSL_PARAM_UNSIGNED_INTEGER), ("ivlen", OSSL_PARAM_UNSIGNED_INTEGER),
  ("taglen", OSSL_PARAM_UNSIGNED_INTEGER), ("iv", OSSL_PARAM_OCTET_STRING),
  ("updated-iv", OSSL_PARAM_OCTET_STRING), ("tag", OSSL_PARAM_OCTET_STRING),
  ("tlsaadpad", OSSL_PARAM_UNSIGNED_INTEGER),
])
nonisolated(unsafe) private let describedSettable: UnsafePointer<OSSL_PARAM> = unsafe describe([
  ("ivlen", OSSL_PARAM_UNSIGNED_INTEGER), ("keylen", OSSL_PARAM_UNSIGNED_INTEGER),
  ("tag", OSSL_PARAM_OCTET_STRING), ("tlsaad", OSSL_PARAM_OCTET_STRING),
  ("tlsivfixed", OSSL_PARAM_OCTET_STRING),
])

private func describe(_ names: [(String, Int32)]) -> UnsafePointer<OSSL_PARAM> {
  let table = UnsafeMutablePointer<OSSL_PARAM>.allocate(capacity: names.count + 1)
  for (index, entry) in names.enumerated() {
    unsafe (table + index).initialize(
      to: OSSL_PARAM(
        key: strdup(entry.0), data_type: UInt32(entry.1), data: nil, data_size: 0, return_size: 0))
  }
  unsafe (table + names.count).initialize(to: OSSL_PARAM())
  return unsafe UnsafePointer(table)
}
private typealias Describe =
  @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) ->
  UnsafePointer<OSSL_PARAM>?
private let gettable: @convention(c) (UnsafeMutableRawPointer?) -> UnsafePointer<OSSL_PARAM>? = {
  _ in unsafe described
}
private let gettableContext: Describe = { _, _ in unsafe describedGettable }
private let settableContext: Describe = { _, _ in unsafe describedSettable }
