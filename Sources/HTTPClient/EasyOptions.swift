import CCurl

/// Sets the options of one easy handle, and remembers the first refusal.
@safe struct EasyOptions {
  private let easy: UnsafeMutableRawPointer
  private(set) var result = CURLE_OK

  init(_ easy: UnsafeMutableRawPointer) { unsafe self.easy = easy }

  mutating func set(_ option: CURLoption, _ value: Int) {
    note(unsafe wl_curl_set_long(easy, option, value))
  }

  mutating func set(_ option: CURLoption, offset value: Int) {
    note(unsafe wl_curl_set_offset(easy, option, curl_off_t(value)))
  }

  /// libcurl copies the string.
  mutating func set(_ option: CURLoption, _ value: String) {
    note(unsafe wl_curl_set_string(easy, option, value))
  }

  mutating func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
    note(unsafe wl_curl_set_pointer(easy, option, value))
  }

  mutating func set(
    _ option: CURLoption,
    _ callback:
      @escaping @convention(c) (
        UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?
      ) -> Int
  ) {
    note(unsafe wl_curl_set_callback(easy, option, callback))
  }

  mutating func setSeek(
    _ callback: @escaping @convention(c) (UnsafeMutableRawPointer?, curl_off_t, Int32) -> Int32
  ) {
    note(unsafe wl_curl_set_seek(easy, callback))
  }

  /// For how many seconds authorities that were read are not read anew.
  mutating func setAuthoritiesLifetime(_ seconds: Int) {
    note(unsafe wl_curl_set_ca_lifetime(easy, seconds))
  }

  mutating func restrictToHTTP() { note(unsafe wl_curl_only_http(easy)) }

  /// libcurl's own words for a result.
  static func words(_ result: CURLcode) -> String {
    unsafe String(cString: curl_easy_strerror(result))
  }

  private mutating func note(_ code: CURLcode) {
    if result == CURLE_OK { result = code }
  }
}
