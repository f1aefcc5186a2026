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


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build_outside(project, directory, *options):
    """Configures and builds one of the outside projects; what it prints."""
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    run("cmake", "-G", "Ninja", "-S", HERE / project, "-B", directory, "-DCMAKE_BUILD_TYPE=Release", *launcher, *options)
    run("cmake", "--build", directory, "--target", "outside")
    return run(directory / "outside")


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """The library and the programs, installed."""
    directory = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", directory)
    return directory


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
    run("g++", "-std=c++20", HERE / "main.cpp", "-o", tmp_path / "outside", *flags)
    assert run(tmp_path / "outside") == OUTPUT
    assert run("pkg-config", "--modversion", "llmroute", env=environment) == "0.1.0\n"


def test_add_subdirectory(tmp_path):
    # With the flags of the release build, so that the compiler's cache knows the library already.
    assert build_outside("subdirectory", tmp_path / "build", "-DLLMROUTE_WERROR=ON") == OUTPUT


def test_the_programs_are_installed(prefix):
    assert run(prefix / "bin" / "llmroute-gateway", "--version") == "llmroute-gateway 0.1.0\n"
