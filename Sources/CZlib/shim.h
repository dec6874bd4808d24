#ifndef WEDLIVE_CZLIB_H
#define WEDLIVE_CZLIB_H
#include <zlib.h>
#endif
