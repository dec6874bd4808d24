// libssl and libcrypto. What Swift does not import (function-like macros, casts of callbacks,
// stacks) follows as inline functions; nothing here decides anything.
#ifndef WEDLIVE_COPENSSL_H
#define WEDLIVE_COPENSSL_H
#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <string.h>

// SSL_OP_… are 64-bit shifts behind a macro that takes an argument.
static const uint64_t wl_op_no_renegotiation = SSL_OP_NO_RENEGOTIATION;
static const uint64_t wl_op_no_compression = SSL_OP_NO_COMPRESSION;
static const uint64_t wl_op_no_ticket = SSL_OP_NO_TICKET;

static inline void wl_ctx_set_mode(SSL_CTX *ctx, long mode) { (void)SSL_CTX_set_mode(ctx, mode); }
static inline int wl_ctx_set_versions(SSL_CTX *ctx, int least, int most) {
  return SSL_CTX_set_min_proto_version(ctx, least) && SSL_CTX_set_max_proto_version(ctx, most);
}
static inline int wl_ctx_set_groups(SSL_CTX *ctx, const char *list) {
  return (int)SSL_CTX_set1_groups_list(ctx, list);
}
static inline void wl_ctx_session_cache_off(SSL_CTX *ctx) {
  (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
}
/// Sessions are handed to the callback of `SSL_CTX_sess_set_new_cb` and kept nowhere else.
static inline void wl_ctx_session_cache_client(SSL_CTX *ctx) {
  (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}
/// A slot of every SSL_CTX for a pointer of ours. Negative when out of memory.
static inline int wl_ctx_new_index(void) {
  return CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, NULL);
}
static inline void wl_ctx_set_servername_callback(SSL_CTX *ctx, int (*callback)(SSL *, int *, void *)) {
  (void)SSL_CTX_set_tlsext_servername_callback(ctx, callback);
}
static inline void wl_ctx_set_status_callback(SSL_CTX *ctx, int (*callback)(SSL *, void *)) {
  (void)SSL_CTX_set_tlsext_status_cb(ctx, callback);
}
static inline int wl_set_host_name(SSL *ssl, const char *name) {
  return (int)SSL_set_tlsext_host_name(ssl, name);
}
/// Asks a server for its stapled OCSP answer.
static inline void wl_request_status(SSL *ssl) {
  (void)SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}
/// Staples a copy of `bytes`. Returns 0 when out of memory.
static inline int wl_set_status(SSL *ssl, const void *bytes, size_t count) {
  unsigned char *copy = OPENSSL_memdup(bytes, count);
  if (copy == NULL) return 0;
  return (int)SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)count);
}
static inline long wl_status(SSL *ssl, const unsigned char **bytes) {
  return SSL_get_tlsext_status_ocsp_resp(ssl, bytes);
}
static inline int wl_err_reason(unsigned long code) { return ERR_GET_REASON(code); }
static inline int wl_err_lib(unsigned long code) { return ERR_GET_LIB(code); }

/// What stands behind the certificate in its file; the context's, not the caller's.
static inline STACK_OF(X509) *wl_ctx_chain(SSL_CTX *ctx) {
  STACK_OF(X509) *chain = NULL;
  (void)SSL_CTX_get0_chain_certs(ctx, &chain);
  return chain;
}

/// Copies the n-th DNS name of a certificate's subjectAltName, or its common name as number 0 when
/// it has no such name. Returns the name's length, or -1 when there is no n-th one that fits.
static inline int wl_certificate_name(X509 *certificate, int n, char *name, int capacity) {
  GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  int seen = 0, length = -1;
  for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
    const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);
    if (one->type != GEN_DNS || seen++ != n) continue;
    int count = ASN1_STRING_length(one->d.dNSName);
    if (count < capacity) {
      memcpy(name, ASN1_STRING_get0_data(one->d.dNSName), (size_t)count);
      length = count;
    }
    break;
  }
  if (all == NULL && n == 0) {
    length = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, capacity);
  }
  GENERAL_NAMES_free(all);
  return length;
}

/// Keys a MAC context for HMAC-SHA-256. Here and not in Swift because OSSL_PARAM keeps pointers to its
/// strings: a literal's temporary would be gone when the call reads it.
static inline int wl_ticket_mac(EVP_MAC_CTX *mac, const unsigned char *key, size_t count) {
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_init(mac, key, count, parameters);
}

static inline EVP_PKEY *wl_new_p256_key(void) { return EVP_EC_gen("P-256"); }

/// Version 3, a random serial number, `days` from an hour ago on, one common name, the public key.
static inline int wl_certificate_begin(X509 *certificate, EVP_PKEY *key, const char *name, int days) {
  unsigned char serial[16];
  if (RAND_bytes(serial, sizeof(serial)) != 1) return 0;
  serial[0] &= 0x7f;
  BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
  if (number == NULL) return 0;
  int fine = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
  BN_free(number);
  // A common name holds 64 characters; the names that count are in the subjectAltName.
  int length = (int)strlen(name);
  if (length > 64) length = 64;
  return fine && X509_set_version(certificate, 2) &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
         X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, NULL) != NULL &&
         X509_set_pubkey(certificate, key) &&
         X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    (const unsigned char *)name, length, -1, 0);
}

/// Adds one extension, written as in OpenSSL's configuration files.
static inline int wl_certificate_extend(X509 *certificate, X509 *issuer, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  if (extension == NULL) return 0;
  int fine = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return fine;
}
#endif
