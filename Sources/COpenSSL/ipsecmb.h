// libipsec-mb's AES-GCM, found at run time: a binary made here also runs where the library is not,
// and a machine without its header (ARM) builds the same sources.
#ifndef WEDLIVE_IPSECMB_H
#define WEDLIVE_IPSECMB_H
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#if defined(__x86_64__) && __has_include(<intel-ipsec-mb.h>)
#include <intel-ipsec-mb.h>
#define WL_IPSEC_MB 1
#endif

/// The direct calls for one key size, copied out of libipsec-mb's manager once; they keep no state
/// but what they are given, so any thread may use them.
typedef struct wl_gcm {
  void (*prepare)(const void *key, void *expanded);
  void (*begin)(const void *expanded, void *state, const uint8_t *iv, const uint8_t *aad, uint64_t count);
  void (*seal)(const void *expanded, void *state, uint8_t *out, const uint8_t *in, uint64_t count);
  void (*open)(const void *expanded, void *state, uint8_t *out, const uint8_t *in, uint64_t count);
  void (*finish_seal)(const void *expanded, void *state, uint8_t *tag, uint64_t count);
  void (*finish_open)(const void *expanded, void *state, uint8_t *tag, uint64_t count);
} wl_gcm;

typedef struct wl_gcm_library {
  wl_gcm gcm128, gcm256;
  size_t expanded_bytes, state_bytes;
  const char *version;
} wl_gcm_library;

/// Finds libipsec-mb. Returns NULL when `library` is filled in, else why it cannot be used here.
static inline const char *wl_gcm_load(wl_gcm_library *library) {
#ifdef WL_IPSEC_MB
  // The compiler's check includes that the kernel saves the AVX-512 registers.
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("aes") || !__builtin_cpu_supports("pclmul") ||
      !__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("vaes") || !__builtin_cpu_supports("vpclmulqdq"))
    return "this CPU has no VAES with AVX-512";
  void *handle = dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return "libIPSec_MB.so.1 is not installed (Debian: libipsec-mb1)";
  IMB_MGR *(*allocate)(uint64_t) = (IMB_MGR * (*)(uint64_t)) dlsym(handle, "alloc_mb_mgr");
  void (*start)(IMB_MGR *) = (void (*)(IMB_MGR *))dlsym(handle, "init_mb_mgr_avx512");
  const char *(*version)(void) = (const char *(*)(void))dlsym(handle, "imb_get_version_str");
  if (allocate == NULL || start == NULL || version == NULL) return "libIPSec_MB.so.1 lacks a call";
  IMB_MGR *manager = allocate(0);
  if (manager == NULL) return "libIPSec_MB.so.1 could not allocate its manager";
  if ((manager->features & IMB_CPUFLAGS_AVX512_T2) != IMB_CPUFLAGS_AVX512_T2)
    return "libIPSec_MB.so.1 finds no VAES with AVX-512 here";
  start(manager);
  // The manager is kept for the life of the process; its direct calls are all that is used.
#define WL_GCM(n)                                                                             \
  library->gcm##n.prepare = (void (*)(const void *, void *))manager->gcm##n##_pre;            \
  library->gcm##n.begin = (void (*)(const void *, void *, const uint8_t *, const uint8_t *,   \
                                    uint64_t))manager->gcm##n##_init;                         \
  library->gcm##n.seal = (void (*)(const void *, void *, uint8_t *, const uint8_t *,          \
                                   uint64_t))manager->gcm##n##_enc_update;                    \
  library->gcm##n.open = (void (*)(const void *, void *, uint8_t *, const uint8_t *,          \
                                   uint64_t))manager->gcm##n##_dec_update;                    \
  library->gcm##n.finish_seal = (void (*)(const void *, void *, uint8_t *, uint64_t))         \
                                    manager->gcm##n##_enc_finalize;                           \
  library->gcm##n.finish_open = (void (*)(const void *, void *, uint8_t *, uint64_t))         \
                                    manager->gcm##n##_dec_finalize;                           \
  if (library->gcm##n.prepare == NULL || library->gcm##n.begin == NULL ||                     \
      library->gcm##n.seal == NULL || library->gcm##n.open == NULL ||                         \
      library->gcm##n.finish_seal == NULL || library->gcm##n.finish_open == NULL)             \
    return "libIPSec_MB.so.1 offers no AES-GCM";
  WL_GCM(128)
  WL_GCM(256)
#undef WL_GCM
  library->expanded_bytes = sizeof(struct gcm_key_data);
  library->state_bytes = sizeof(struct gcm_context_data);
  library->version = version();
  return NULL;
#else
  (void)library;
  return "this build has no libipsec-mb (it serves x86-64 with its header installed)";
#endif
}
#endif
