#ifndef WEDLIVE_CCURL_H
#define WEDLIVE_CCURL_H
#include <curl/curl.h>
#endif
