// libssl and libcrypto; macros that Swift does not import follow as inline functions.
#ifndef WEDLIVE_COPENSSL_H
#define WEDLIVE_COPENSSL_H
#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#endif
