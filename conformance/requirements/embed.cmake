# cmake -DOUTPUT=... -DFILES=a.txtpb,b.txtpb -P embed.cmake: writes a C++ source with the files' texts, in this order.
set(files "")
string(REPLACE "," ";" paths "${FILES}")
foreach(path ${paths})
  get_filename_component(name ${path} NAME_WE)
  file(READ ${path} text)
  string(APPEND files "    {\"${name}\", R\"records(${text})records\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"conformance/requirements/registry.hpp\"

namespace wavetank::conformance {

std::span<const RecordFile> record_files() {
  static constexpr RecordFile kFiles[] = {
${files}  };
  return kFiles;
}

}  // namespace wavetank::conformance
")
