#ifndef WEDLIVE_CCURL_H
#define WEDLIVE_CCURL_H
#include <curl/curl.h>

// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt are variadic, which Swift does not
// import: one function here per type of argument.

static inline CURLcode wl_curl_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode wl_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode wl_curl_set_string(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode wl_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
  return curl_easy_setopt(easy, option, value);
}

/// Sets CURLOPT_WRITEFUNCTION or CURLOPT_HEADERFUNCTION.
static inline CURLcode wl_curl_set_callback(CURL *easy, CURLoption option,
                                            size_t (*value)(char *, size_t, size_t, void *)) {
  return curl_easy_setopt(easy, option, value);
}

/// Sets CURLOPT_SEEKFUNCTION.
static inline CURLcode wl_curl_set_seek(CURL *easy, int (*value)(void *, curl_off_t, int)) {
  return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, value);
}

/// What a read callback answers when it can't: a macro constant of a wider type.
/// libcurl before 7.87 reads authorities for each connection.
static inline CURLcode wl_curl_set_ca_lifetime(CURL *easy, long seconds) {
#if LIBCURL_VERSION_NUM >= 0x075700
  return curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, seconds);
#else
  (void)easy;
  (void)seconds;
  return CURLE_OK;
#endif
}
static inline size_t wl_curl_read_abort(void) { return CURL_READFUNC_ABORT; }

/// What a write callback answers when it wants no more for now: a macro constant of a wider type.
static inline size_t wl_curl_write_pause(void) { return CURL_WRITEFUNC_PAUSE; }

/// Allows http and https and nothing else, for requests and redirects alike.
static inline CURLcode wl_curl_only_http(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  return code ? code : curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  long both = CURLPROTO_HTTP | CURLPROTO_HTTPS;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS, both);
  return code ? code : curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, both);
#endif
}

static inline CURLMcode wl_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}

/// The next finished transfer, or NULL. Its result stands in a C union, which is read here.
static inline CURL *wl_curl_multi_finished(CURLM *multi, CURLcode *result) {
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi, &left))) {
    if (message->msg == CURLMSG_DONE) {
      *result = message->data.result;
      return message->easy_handle;
    }
  }
  return NULL;
}

/// Initialises libcurl for the process; to be called once, before any other call.
static inline CURLcode wl_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }
#endif
