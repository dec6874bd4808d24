<?xml version="1.0" encoding="utf-8"?>
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="html" encoding="utf-8" doctype-system="about:legacy-compat"/>

  <xsl:template match="/rtmp">
    <html lang="en">
      <head>
        <title>wedlive statistics</title>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <style>
          :root { color-scheme: dark light; }
          body { margin: 0; padding: 2rem clamp(1rem, 4vw, 3rem); background: #0e0f13; color: #e9e7e2;
            font: 15px/1.5 system-ui, sans-serif; }
          h1 { font-size: 1.25rem; margin: 0 0 1rem; }
          p { color: #9b98a3; }
          table { border-collapse: collapse; width: 100%; margin: 0 0 2rem; }
          th, td { text-align: left; padding: .45rem .75rem; border-bottom: 1px solid #24252d;
            white-space: nowrap; }
          th { color: #9b98a3; font-weight: 500; font-size: .85em; }
          td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
          tr.stream td { font-weight: 600; background: #16171d; }
          .live { color: #6fd39b; }
          .scroll { overflow-x: auto; }
        </style>
      </head>
      <body>
        <h1>wedlive <xsl:value-of select="wedlive_version"/></h1>
        <p>
          Up <xsl:call-template name="time"><xsl:with-param name="s" select="uptime"/></xsl:call-template>,
          process <xsl:value-of select="pid"/>,
          <xsl:value-of select="naccepted"/> connections accepted,
          <xsl:call-template name="rate"><xsl:with-param name="b" select="bw_in"/></xsl:call-template> in,
          <xsl:call-template name="rate"><xsl:with-param name="b" select="bw_out"/></xsl:call-template> out.
        </p>
        <xsl:apply-templates select="server/application"/>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="application">
    <h1>Application <xsl:value-of select="name"/></h1>
    <div class="scroll">
      <table>
        <tr>
          <th>stream / client</th><th>state</th><th>picture</th><th>sound</th>
          <th class="n">clients</th><th class="n">viewers</th>
          <th class="n">in</th><th class="n">out</th><th class="n">received</th>
          <th class="n">sent</th><th class="n">dropped</th><th class="n">time</th>
        </tr>
        <xsl:apply-templates select="live/stream"/>
        <xsl:if test="not(live/stream)">
          <tr><td colspan="12">No streams.</td></tr>
        </xsl:if>
      </table>
    </div>
  </xsl:template>

  <xsl:template match="stream">
    <tr class="stream">
      <td><xsl:value-of select="name"/></td>
      <td><xsl:choose>
        <xsl:when test="active"><span class="live">live</span></xsl:when>
        <xsl:otherwise>waiting</xsl:otherwise>
      </xsl:choose></td>
      <td><xsl:if test="meta/video">
        <xsl:value-of select="concat(meta/video/codec, ' ', meta/video/width, '×', meta/video/height, ' ', meta/video/frame_rate, ' fps')"/>
      </xsl:if></td>
      <td><xsl:if test="meta/audio">
        <xsl:value-of select="concat(meta/audio/codec, ' ', meta/audio/sample_rate, ' Hz × ', meta/audio/channels)"/>
      </xsl:if></td>
      <td class="n"><xsl:value-of select="nclients"/></td>
      <td class="n"><xsl:value-of select="nviewers"/></td>
      <td class="n"><xsl:call-template name="rate"><xsl:with-param name="b" select="bw_in"/></xsl:call-template></td>
      <td class="n"><xsl:call-template name="rate"><xsl:with-param name="b" select="bw_out"/></xsl:call-template></td>
      <td class="n"><xsl:call-template name="size"><xsl:with-param name="b" select="bytes_in"/></xsl:call-template></td>
      <td class="n"><xsl:call-template name="size"><xsl:with-param name="b" select="bytes_out"/></xsl:call-template></td>
      <td></td>
      <td class="n"><xsl:call-template name="time"><xsl:with-param name="s" select="time div 1000"/></xsl:call-template></td>
    </tr>
    <xsl:apply-templates select="client"/>
  </xsl:template>

  <xsl:template match="client">
    <tr>
      <td>#<xsl:value-of select="id"/>&#160;<xsl:value-of select="address"/></td>
      <td><xsl:choose>
        <xsl:when test="publishing">publishing</xsl:when>
        <xsl:otherwise>playing</xsl:otherwise>
      </xsl:choose></td>
      <td colspan="8"><xsl:value-of select="flashver"/></td>
      <td class="n"><xsl:value-of select="dropped"/></td>
      <td class="n"><xsl:call-template name="time"><xsl:with-param name="s" select="time div 1000"/></xsl:call-template></td>
    </tr>
  </xsl:template>

  <xsl:template name="time">
    <xsl:param name="s"/>
    <xsl:if test="$s &gt;= 86400"><xsl:value-of select="floor($s div 86400)"/>d </xsl:if>
    <xsl:if test="$s &gt;= 3600"><xsl:value-of select="floor($s div 3600) mod 24"/>h </xsl:if>
    <xsl:if test="$s &gt;= 60"><xsl:value-of select="floor($s div 60) mod 60"/>m </xsl:if>
    <xsl:value-of select="floor($s) mod 60"/>s
  </xsl:template>

  <xsl:template name="rate">
    <xsl:param name="b"/>
    <xsl:choose>
      <xsl:when test="$b &gt;= 1000000"><xsl:value-of select="format-number($b div 1000000, '0.0')"/> Mbit/s</xsl:when>
      <xsl:otherwise><xsl:value-of select="format-number($b div 1000, '0')"/> kbit/s</xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <xsl:template name="size">
    <xsl:param name="b"/>
    <xsl:choose>
      <xsl:when test="$b &gt;= 1073741824"><xsl:value-of select="format-number($b div 1073741824, '0.0')"/> GiB</xsl:when>
      <xsl:when test="$b &gt;= 1048576"><xsl:value-of select="format-number($b div 1048576, '0.0')"/> MiB</xsl:when>
      <xsl:otherwise><xsl:value-of select="format-number($b div 1024, '0')"/> KiB</xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
