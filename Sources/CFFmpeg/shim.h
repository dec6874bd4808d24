// libavformat, libavcodec, libavfilter, libavutil, libswscale and libswresample of FFmpeg 5.1 to 7.
// Macros that Swift does not import, and fields that moved between releases, follow as inline
// functions.
#ifndef WEDLIVE_CFFMPEG_H
#define WEDLIVE_CFFMPEG_H
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/channel_layout.h>
#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

// Error codes: AVERROR() and FFERRTAG() are function-like macros.
static inline int wl_av_error_again(void) { return AVERROR(EAGAIN); }
static inline int wl_av_error_eof(void) { return AVERROR_EOF; }
static inline int wl_av_error_invalid(void) { return AVERROR_INVALIDDATA; }
static inline int wl_av_error_memory(void) { return AVERROR(ENOMEM); }

/// "No timestamp": a cast of an unsigned macro constant.
static inline int64_t wl_av_no_pts(void) { return AV_NOPTS_VALUE; }

/// Whether a decoded picture starts a group: `key_frame` until libavutil 58.29, then a flag.
static inline int wl_frame_is_key(const AVFrame *frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 29, 100)
  return (frame->flags & AV_FRAME_FLAG_KEY) != 0;
#else
  return frame->key_frame;
#endif
}

/// A plane of a picture or of planar sound; `data` is a C array, which Swift sees as a tuple.
static inline uint8_t *wl_frame_plane(const AVFrame *frame, int plane) {
  return frame->extended_data ? frame->extended_data[plane] : NULL;
}

static inline int wl_frame_stride(const AVFrame *frame, int plane) {
  return frame->linesize[plane];
}

/// Whether a decoded picture is two fields, and which is shown first: members, then flags.
static inline int wl_frame_is_interlaced(const AVFrame *frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 29, 100)
  return (frame->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
  return frame->interlaced_frame;
#endif
}

/// Says that a picture is not two fields any more.
static inline void wl_frame_set_progressive(AVFrame *frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 29, 100)
  frame->flags &= ~(AV_FRAME_FLAG_INTERLACED | AV_FRAME_FLAG_TOP_FIELD_FIRST);
#else
  frame->interlaced_frame = 0;
#endif
}

/// Lets a picture have its planes in a buffer of a pool; the plane arrays are C arrays.
static inline int wl_frame_use_pool(AVFrame *frame, AVBufferPool *pool) {
  frame->buf[0] = av_buffer_pool_get(pool);
  if (!frame->buf[0]) return AVERROR(ENOMEM);
  frame->extended_data = frame->data;
  return av_image_fill_arrays(frame->data, frame->linesize, frame->buf[0]->data, frame->format,
                              frame->width, frame->height, 64);
}

/// Scales a whole picture; the plane arrays of both frames are C arrays inside their structures.
static inline int wl_scale(struct SwsContext *context, const AVFrame *from, AVFrame *to) {
  return sws_scale(context, (const uint8_t *const *)from->data, from->linesize, 0, from->height,
                   to->data, to->linesize);
}

/// Flags that are macros in some releases and enumerations in others.
static inline int wl_scale_bicubic(void) { return SWS_BICUBIC; }

/// An output of callbacks: since libavformat 61 the bytes to be written are `const`.
static inline AVIOContext *wl_avio_writer(unsigned char *buffer, int size, void *opaque,
                                          int (*write)(void *, const uint8_t *, int),
                                          int64_t (*seek)(void *, int64_t, int)) {
#if LIBAVFORMAT_VERSION_MAJOR >= 61
  return avio_alloc_context(buffer, size, 1, opaque, NULL, write, seek);
#else
  return avio_alloc_context(buffer, size, 1, opaque, NULL,
                            (int (*)(void *, uint8_t *, int))(void *)write, seek);
#endif
}

/// A FourCC as the tag of a codec in a file: MKTAG() is a function-like macro.
static inline uint32_t wl_tag(char a, char b, char c, char d) { return MKTAG(a, b, c, d); }

/// What is multiplied with a quantiser to be a quality: FF_QP2LAMBDA.
static inline int wl_quality(int quantiser) { return quantiser * FF_QP2LAMBDA; }

static inline AVStream *wl_stream(const AVFormatContext *context, unsigned int index) {
  return index < context->nb_streams ? context->streams[index] : NULL;
}
#endif
