"""Reference values for EfficientNetLite and the Fréchet distance over its features: python make_classifier.py

Needs numpy, Pillow, scipy, torch, torchvision and efficientnet_lite_pytorch. The network gets random weights by the rule of make_metrics.py, its
pictures are that script's, too. Writes metrics/efficientnet.json: the shapes of its tensors, the features of the first picture, and the distance
of a dozen pictures, darker and noisy, from what they were, in double precision.
"""

import json

import numpy as np
import scipy.linalg
import torch
from efficientnet_lite_pytorch import EfficientNet
from make_metrics import HERE, picture, random_tensor, uniform
from PIL import Image
from torchvision import transforms

COUNT, SIDE = 12, 64


def weights(name, shape):
    if "_bn" in name and name.endswith(".weight"):
        return 0.75 + 0.5 * torch.from_numpy(uniform(name, shape[0]))
    return random_tensor(name, shape)


def main():
    network = EfficientNet.from_name("efficientnet-lite0")
    shapes = {name: list(value.shape) for name, value in network.state_dict().items() if value.is_floating_point() and not name.startswith("_fc")}
    network.load_state_dict({name: weights(name, tuple(shape)) for name, shape in shapes.items()}, strict=False)
    network.double().eval()
    prepare = transforms.Compose([transforms.Resize(224), transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    originals = [picture(f"picture {i}", SIDE) for i in range(COUNT)]
    noise = [np.float32(32) * uniform(f"noise {i}", x.size).reshape(x.shape) for i, x in enumerate(originals)]
    drawn = [(x // 4 * 3 + added).astype(np.uint8) for x, added in zip(originals, noise, strict=True)]
    with torch.no_grad():
        features = [
            torch.stack([network.extract_features(prepare(Image.fromarray(x)).double()[None]).mean((2, 3))[0] for x in pictures]).numpy()
            for pictures in (drawn, originals)
        ]
    centred = [x - x.mean(0) for x in features]
    shift = np.sum((features[0].mean(0) - features[1].mean(0)) ** 2)
    spread = sum(np.sum(x**2) for x in centred)
    frechet = shift + (spread - 2 * scipy.linalg.svdvals(centred[0] @ centred[1].T).sum()) / (COUNT - 1)
    print(frechet, features[0].mean(), features[0].std())
    found = {"shapes": shapes, "features": [float(np.float32(x)) for x in features[1][0]], "frechet": float(frechet)}
    (HERE / "efficientnet.json").write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
