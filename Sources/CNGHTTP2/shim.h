#ifndef WEDLIVE_CNGHTTP2_H
#define WEDLIVE_CNGHTTP2_H
#include <nghttp2/nghttp2.h>
#endif
