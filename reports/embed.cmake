# cmake -DOUTPUT=... -DSCRIPT=... -DSTYLE=... -P embed.cmake: writes a C++ source with the two files as byte arrays.
function(byte_array file name out)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(................................................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  set(${out} "const unsigned char ${name}[] = {\n${bytes}};\n" PARENT_SCOPE)
endfunction()

byte_array(${SCRIPT} kScript script)
byte_array(${STYLE} kStyle style)
file(WRITE ${OUTPUT} "#include \"reports/page_assets.hpp\"

namespace wavetank::reports {
namespace {
${script}
${style}
}  // namespace

std::string_view page_script() { return {reinterpret_cast<const char*>(kScript), sizeof kScript}; }
std::string_view page_style() { return {reinterpret_cast<const char*>(kStyle), sizeof kStyle}; }

}  // namespace wavetank::reports
")
