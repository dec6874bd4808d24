// hiredis' reply reader and command formatter, the same for 0.14 (RESP2) and 1.x (RESP3 too).
#ifndef WEDLIVE_CHIREDIS_H
#define WEDLIVE_CHIREDIS_H
#include <hiredis/hiredis.h>
#include <stddef.h>

/// Where the parts of a reply go, in the order they stand in its bytes.
///
/// Each returns 0 to go on; anything else refuses the reply, and the reader fails.
struct wl_reply_sink {
  void *context;
  /// A string, status or error (REDIS_REPLY_…).
  int (*bytes)(void *context, int type, const char *bytes, size_t count);
  int (*integer)(void *context, long long value);
  /// An array of so many values, which come next.
  int (*array)(void *context, size_t count);
  int (*nil)(void *context);
};

// The signature that differs between the versions.
#if HIREDIS_MAJOR >= 1
typedef size_t wl_reply_count;
#else
typedef int wl_reply_count;
#endif

/// What the reader takes for a value: any pointer that isn't null, since the sink builds the values.
static inline void *wl_reply_made(const redisReadTask *task, int refused) {
  return refused ? NULL : task->privdata;
}

static inline void *wl_reply_string(const redisReadTask *task, char *bytes, size_t count) {
  struct wl_reply_sink *sink = (struct wl_reply_sink *)task->privdata;
  return wl_reply_made(task, sink->bytes(sink->context, task->type, bytes, count));
}

static inline void *wl_reply_array(const redisReadTask *task, wl_reply_count count) {
  struct wl_reply_sink *sink = (struct wl_reply_sink *)task->privdata;
  // Maps, sets and pushes are RESP3's, which we never ask for.
  if (task->type != REDIS_REPLY_ARRAY) return NULL;
  return wl_reply_made(task, sink->array(sink->context, (size_t)count));
}

static inline void *wl_reply_integer(const redisReadTask *task, long long value) {
  struct wl_reply_sink *sink = (struct wl_reply_sink *)task->privdata;
  return wl_reply_made(task, sink->integer(sink->context, value));
}

static inline void *wl_reply_nil(const redisReadTask *task) {
  struct wl_reply_sink *sink = (struct wl_reply_sink *)task->privdata;
  return wl_reply_made(task, sink->nil(sink->context));
}

static inline void wl_reply_free(void *value) { (void)value; }

#if HIREDIS_MAJOR >= 1
static inline void *wl_reply_double(const redisReadTask *task, double value, char *text,
                                    size_t count) {
  (void)task, (void)value, (void)text, (void)count;
  return NULL;
}

static inline void *wl_reply_bool(const redisReadTask *task, int value) {
  (void)task, (void)value;
  return NULL;
}
#endif

/// A reader that hands what it reads to `sink`, which must outlive it; NULL when out of memory.
static inline redisReader *wl_reader_create(struct wl_reply_sink *sink) {
  static redisReplyObjectFunctions functions = {
      .createString = wl_reply_string,
      .createArray = wl_reply_array,
      .createInteger = wl_reply_integer,
#if HIREDIS_MAJOR >= 1
      .createDouble = wl_reply_double,
      .createBool = wl_reply_bool,
#endif
      .createNil = wl_reply_nil,
      .freeObject = wl_reply_free,
  };
  redisReader *reader = redisReaderCreateWithFunctions(&functions);
  if (reader != NULL) reader->privdata = sink;
  return reader;
}

/// Bytes that were fed and are not part of a whole value yet.
static inline size_t wl_reader_unread(const redisReader *reader) {
  return reader->len - reader->pos;
}

/// The first of them; to be read only where there are some.
static inline const char *wl_reader_next(const redisReader *reader) {
  return reader->buf + reader->pos;
}

/// Whether what is read now is a string: its bytes are many perhaps, where a line's are few.
static inline int wl_reader_awaits_string(const redisReader *reader) {
  if (reader->ridx < 0) return 0;
#if HIREDIS_MAJOR >= 1
  return reader->task[reader->ridx]->type == REDIS_REPLY_STRING;
#else
  return reader->rstack[reader->ridx].type == REDIS_REPLY_STRING;
#endif
}

/// The reader's own words on what is wrong.
static inline const char *wl_reader_error(const redisReader *reader) { return reader->errstr; }
#endif
