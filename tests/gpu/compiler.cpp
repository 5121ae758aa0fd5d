// A pretended NVRTC, for the program under test: gives the CUDA source to the host's compiler, and the path of the
// library that it makes for machine code. FAKE_KERNELS is where shim.h and run.h are found.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

struct Program {
    std::string source, library;
};

extern "C" {
int nvrtcVersion(int *major, int *minor) { return *major = 99, *minor = 1, 0; }
int nvrtcCreateProgram(Program **program, const char *source, const char *, int, const char *const *, const char *const *) {
    return *program = new Program{source, ""}, 0;
}
int nvrtcCompileProgram(Program *program, int, const char *const *) {
    char name[] = "/tmp/fake-kernels-XXXXXX";
    std::string folder = mkdtemp(name), file = folder + "/kernels.cpp";
    program->library = folder + "/kernels.so";
    std::ofstream(file) << program->source << "\n#include \"run.h\"\n";
    std::string include = std::getenv("FAKE_KERNELS");
    for (size_t at; (at = include.find(':')) != std::string::npos;) include.replace(at, 1, " -I");
    std::string command = "c++ -std=c++20 -O1 -ffp-contract=off -fno-strict-aliasing -pthread -shared -fPIC -w -I" +
                          include + " " + file + " -o " + program->library + " && rm " + file;
    return std::system(command.c_str()) == 0 ? 0 : 6;
}
int nvrtcGetProgramLogSize(Program *, size_t *size) { return *size = 26, 0; }
int nvrtcGetProgramLog(Program *, char *to) { return std::strcpy(to, "error: the host said more"), 0; }
int nvrtcGetCUBINSize(Program *program, size_t *size) { return *size = program->library.size() + 1, 0; }
int nvrtcGetCUBIN(Program *program, char *to) { return std::strcpy(to, program->library.c_str()), 0; }
int nvrtcDestroyProgram(Program **program) { return delete *program, 0; }
}
