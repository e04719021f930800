// The addon imports Node's functions from "node.exe". When the running program has another name, the process itself is
// the module that has them. Called once by the delay-load helper of Visual C++, on the thread that calls first.
#include <windows.h>

#include <delayimp.h>

#include <cstring>

namespace {

FARPROC WINAPI useThisProcess(unsigned event, DelayLoadInfo* info) {
  if (event != dliNotePreLoadLibrary || _stricmp(info->szDll, "node.exe") != 0) return nullptr;
  HMODULE node = GetModuleHandleA("libnode.dll");
  return reinterpret_cast<FARPROC>(node != nullptr ? node : GetModuleHandleA(nullptr));
}

}  // namespace

decltype(__pfnDliNotifyHook2) __pfnDliNotifyHook2 = useThisProcess;
