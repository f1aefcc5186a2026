"""Programs outside the repository find the library: installed, by pkg-config, and as a sub-directory."""

import os
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("LLMROUTE_BIN_DIR", ROOT / "build" / "release" / "bin")).parent
OUTPUT = "llmroute 0.1.0, 1 node\n"
C_OUTPUT = "llmroute 0.1.0, ok\n"


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build_outside(project, directory, *options):
    """Configures and builds one of the outside projects; what it prints."""
    build(HERE / project, directory, "outside", *options)
    return run(directory / "outside")


def build(source, directory, target, *options):
    """With the flags of the release build, so that the compiler's cache knows the library already."""
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    run("cmake", "-G", "Ninja", "-S", source, "-B", directory, "-DCMAKE_BUILD_TYPE=Release", *launcher, *options)
    run("cmake", "--build", directory, "--target", target)


@pytest.fixture(scope="module", params=["static", "shared"])
def prefix(request, tmp_path_factory):
    """The library, installed: of the release build with the programs, or built as a shared one."""
    directory = tmp_path_factory.mktemp("prefix")
    built = BUILD
    if request.param == "shared":
        built = tmp_path_factory.mktemp("build")
        build(ROOT, built, "all", "-DBUILD_SHARED_LIBS=ON", "-DLLMROUTE_TESTS=OFF", "-DLLMROUTE_EXAMPLES=OFF")
    run("cmake", "--install", built, "--prefix", directory)
    return directory


def has(prefix, name):
    return (prefix / "lib" / name).exists()


def test_find_package(prefix, tmp_path):
    assert build_outside("find_package", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}") == OUTPUT


def test_find_package_refuses_another_minor_version(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(outside CXX)\nfind_package(llmroute 0.2 REQUIRED)\n")
    done = subprocess.run(["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"],
                          capture_output=True, text=True)
    assert done.returncode != 0 and "0.1.0" in done.stderr


def test_pkg_config(prefix, tmp_path):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "llmroute", env=environment).split()
    run("g++", "-std=c++20", HERE / "main.cpp", "-o", tmp_path / "outside", *flags, f"-Wl,-rpath,{prefix}/lib")
    assert run(tmp_path / "outside") == OUTPUT
    assert run("pkg-config", "--modversion", "llmroute", env=environment) == "0.1.0\n"


def test_the_kind_of_library_is_the_one_asked_for(prefix, request):
    shared = "shared" in request.node.name
    assert has(prefix, "libllmroute.so.0.1") == shared and has(prefix, "libllmroute.a") == (not shared)


@pytest.mark.parametrize("shared", ["OFF", "ON"])
def test_add_subdirectory(tmp_path, shared):
    options = ["-DLLMROUTE_WERROR=ON", f"-DBUILD_SHARED_LIBS={shared}"]
    assert build_outside("subdirectory", tmp_path / "build", *options) == OUTPUT
    assert not list((tmp_path / "build").rglob("libllmroute_c*")), "nobody asked for it"


def test_find_package_for_c(prefix, tmp_path):
    assert build_outside("c_find_package", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}") == C_OUTPUT


def test_find_package_names_an_unknown_component(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(outside C)\nfind_package(llmroute REQUIRED COMPONENTS rust)\n")
    done = subprocess.run(["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"],
                          capture_output=True, text=True)
    assert done.returncode != 0 and 'no component "rust"; there is: capi' in done.stderr


def test_pkg_config_for_c(prefix, tmp_path):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "llmroute-c", env=environment).split()
    assert not [flag for flag in flags if "fmt" in flag or "curl" in flag]
    run("gcc", "-std=c99", HERE / "main.c", "-o", tmp_path / "outside", *flags, f"-Wl,-rpath,{prefix}/lib")
    assert run(tmp_path / "outside") == C_OUTPUT
    assert run("pkg-config", "--modversion", "llmroute-c", env=environment) == "0.1.0\n"


@pytest.mark.parametrize("shared", ["OFF", "ON"])
def test_add_subdirectory_for_c(tmp_path, shared):
    options = ["-DLLMROUTE_WERROR=ON", f"-DBUILD_SHARED_LIBS={shared}"]
    assert build_outside("c_subdirectory", tmp_path / "build", *options) == C_OUTPUT


def test_the_programs_are_installed(prefix):
    if not has(prefix, "libllmroute.a"):
        pytest.skip("built without them")
    assert run(prefix / "bin" / "llmroute-gateway", "--version") == "llmroute-gateway 0.1.0\n"
